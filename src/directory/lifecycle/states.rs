//! The states of a user: one table of what each event does in each state. GET, PUT, PATCH and
//! DELETE follow it, and a POST consults it about the owners of its names (`post_conflict.rs`).
//! `docs/LIFE.md` shows it, and the tests walk through all of it. Resources of other types are only
//! *provisioned* or *suspended*, or *absent*.

use scim_core::resource::Attributes;

use crate::store::{Stage, Standing, is_active};
use crate::tenant::profile::{Deleted, Existing, OnDelete, OnInactive, Profile};

/// The state of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// The user does not exist, or no longer exists.
    Absent,
    /// Imported: known to the product, but not yet to the identity provider. 404.
    Unmanaged,
    /// Active.
    Provisioned,
    /// Inactive.
    Suspended,
    /// Inactive, to be erased when the retention ends.
    SuspendedWithExpiry,
    /// Deleted, but kept. 404.
    SoftDeleted,
    /// The user's time is up: the user is gone for everyone, whether or not its rows still exist.
    Expired,
}

/// What happens to a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// POST for the same person.
    Post,
    /// POST for another person with the same userName.
    Namesake,
    /// GET.
    Read,
    /// PUT or PATCH that leaves `active` as it is.
    Change,
    /// PUT or PATCH that makes `active` true.
    Activate,
    /// PUT or PATCH that makes `active` false.
    Deactivate,
    /// DELETE.
    Delete,
    /// The retention ends.
    Expiry,
    /// The operator restores the user.
    Restore,
    /// The operator imports the user.
    Import,
}

/// What a request does in response to an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// 201: a new user with an id of its own.
    Create,
    /// 201: the imported user is adopted with its id, or 409, as `create.existing` says.
    Adopt,
    /// 409.
    Conflict,
    /// 201: the user is restored with its id and data, or a new one is created, as `create.deleted`
    /// says.
    Return,
    /// The user is restored with its id and data.
    Restore,
    /// 200: the user is shown.
    Show,
    /// 200: the user may have other values, but is in the same state.
    Keep,
    /// 200: the user is active.
    Activate,
    /// 200: the user is inactive.
    Suspend,
    /// 204 or 400, as `deprovision.on_delete` says.
    Deprovision,
    /// 404.
    NotFound,
    /// The user is erased. The tenant's next request erases a visible user, with a row in the log;
    /// DynamoDB erases a deleted one, and its stream reports it.
    Erase,
    /// An unmanaged user is stored.
    Import,
    /// Nothing.
    Nothing,
}

impl State {
    /// All of them, in the order of the table.
    pub const ALL: [Self; 7] = [
        Self::Absent,
        Self::Unmanaged,
        Self::Provisioned,
        Self::Suspended,
        Self::SuspendedWithExpiry,
        Self::SoftDeleted,
        Self::Expired,
    ];

    /// The state of a stored user at a time, in seconds since 1970.
    pub fn of(user: Option<Standing>, now: i64) -> Self {
        let Some(user) = user else { return Self::Absent };
        if user.expires.is_some_and(|expiry| expiry <= now) {
            return Self::Expired;
        }
        match user.state {
            Stage::Unmanaged => Self::Unmanaged,
            Stage::Deleted => Self::SoftDeleted,
            Stage::Live if user.expires.is_some() => Self::SuspendedWithExpiry,
            Stage::Live if user.active => Self::Provisioned,
            Stage::Live => Self::Suspended,
        }
    }

    /// The word for the state in the events that the product hears.
    pub fn word(self) -> &'static str {
        match self {
            Self::Absent | Self::Expired => "absent",
            Self::Unmanaged => "unmanaged",
            Self::Provisioned => "provisioned",
            Self::Suspended => "suspended",
            Self::SuspendedWithExpiry => "suspended_with_expiry",
            Self::SoftDeleted => "deleted",
        }
    }

    /// What an event does in this state.
    pub fn step(self, event: Event) -> Step {
        use State::{
            Absent, Expired, Provisioned, SoftDeleted, Suspended, SuspendedWithExpiry, Unmanaged,
        };
        match (self, event) {
            (Absent | Expired, Event::Post | Event::Namesake) => Step::Create,
            (Absent | Expired, Event::Import) => Step::Import,
            (Absent | Expired, Event::Expiry) => Step::Nothing,

            (Unmanaged, Event::Post | Event::Namesake) => Step::Adopt,
            (Unmanaged, Event::Import | Event::Expiry) => Step::Nothing,

            // A POST for the same person stops the clock.
            (SuspendedWithExpiry, Event::Post) => Step::Return,
            (SuspendedWithExpiry, Event::Expiry) => Step::Erase,
            (Provisioned | Suspended | SuspendedWithExpiry, Event::Post | Event::Namesake) => {
                Step::Conflict
            }
            (Provisioned | Suspended | SuspendedWithExpiry, Event::Read) => Step::Show,
            (Provisioned | Suspended | SuspendedWithExpiry, Event::Change) => Step::Keep,
            (Provisioned | Suspended | SuspendedWithExpiry, Event::Activate) => Step::Activate,
            (Provisioned | Suspended | SuspendedWithExpiry, Event::Deactivate) => Step::Suspend,
            (Provisioned | Suspended | SuspendedWithExpiry, Event::Delete) => Step::Deprovision,
            (Provisioned | Suspended | SuspendedWithExpiry, Event::Import | Event::Expiry) => {
                Step::Nothing
            }

            (SoftDeleted, Event::Post) => Step::Return,
            (SoftDeleted, Event::Restore) => Step::Restore,
            // Another person who takes over the name of a deleted user never gets that user's
            // account.
            (SoftDeleted, Event::Namesake) => Step::Create,
            (SoftDeleted, Event::Import) => Step::Nothing,
            (SoftDeleted, Event::Expiry) => Step::Erase,

            (
                _,
                Event::Read
                | Event::Change
                | Event::Activate
                | Event::Deactivate
                | Event::Delete
                | Event::Restore,
            ) => Step::NotFound,
        }
    }

    /// The state to which a step leads under a profile.
    pub fn after(self, step: Step, profile: &Profile) -> Self {
        match step {
            // A deleted user stays deleted when another person takes the name.
            Step::Create if self == Self::SoftDeleted => self,
            Step::Create | Step::Activate => Self::Provisioned,
            Step::Return
                if profile.create.deleted == Deleted::New && self != Self::SuspendedWithExpiry =>
            {
                self
            }
            Step::Return | Step::Restore => Self::Provisioned,
            Step::Adopt if profile.create.existing == Existing::Link => Self::Provisioned,
            Step::Suspend => match (self, profile.deprovision.on_inactive) {
                // A user who is already inactive keeps its clock, if there is one.
                (Self::Provisioned, OnInactive::SuspendWithExpiry) => Self::SuspendedWithExpiry,
                (Self::Provisioned, OnInactive::Suspend) => Self::Suspended,
                (inactive, _) => inactive,
            },
            Step::Deprovision => match profile.deprovision.on_delete {
                OnDelete::SoftDelete | OnDelete::Deactivate => Self::SoftDeleted,
                OnDelete::HardDelete => Self::Absent,
                OnDelete::Refuse => self,
            },
            // A user who is kept indefinitely never expires.
            Step::Erase
                if self != Self::SuspendedWithExpiry
                    && profile.deprovision.on_delete == OnDelete::Deactivate =>
            {
                self
            }
            Step::Erase => Self::Absent,
            Step::Import => Self::Unmanaged,
            Step::Adopt
            | Step::Conflict
            | Step::Show
            | Step::Keep
            | Step::NotFound
            | Step::Nothing => self,
        }
    }
}

impl Event {
    /// All of them, in the order of the table.
    pub const ALL: [Self; 10] = [
        Self::Post,
        Self::Namesake,
        Self::Read,
        Self::Change,
        Self::Activate,
        Self::Deactivate,
        Self::Delete,
        Self::Expiry,
        Self::Restore,
        Self::Import,
    ];

    /// The event of a PUT or PATCH that changes the first attributes into the second.
    pub fn of_change(before: &Attributes, after: &Attributes) -> Self {
        match (is_active(before), is_active(after)) {
            (false, true) => Self::Activate,
            (true, false) => Self::Deactivate,
            (false, false) | (true, true) => Self::Change,
        }
    }
}
