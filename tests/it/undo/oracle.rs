//! What an undo must lead to, in its shortest form: from the states of a directory before and after
//! each step, without a look at the log.

use std::collections::{BTreeMap, BTreeSet};

/// How a user is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Active,
    Inactive,
    /// Kept, and can come back.
    Deleted,
    /// Deleted for good.
    Lost,
}

impl Standing {
    pub fn is_visible(self) -> bool {
        matches!(self, Self::Active | Self::Inactive)
    }
}

/// A directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    pub users: BTreeMap<String, Standing>,
    pub groups: BTreeSet<String>,
    /// Pairs of a group and a member.
    pub members: BTreeSet<(String, String)>,
}

impl State {
    pub fn is_there(&self, id: &str) -> bool {
        self.groups.contains(id) || self.users.get(id).is_some_and(|user| user.is_visible())
    }

    /// A user or group is gone, and with it all of its memberships.
    pub fn leave(&mut self, id: &str) {
        self.members.retain(|(group, member)| group != id && member != id);
    }
}

/// A step of somebody.
#[derive(Debug, Clone)]
pub struct Step {
    pub time: i64,
    pub actor: String,
    /// Whether it is a restore of the operator, which is not undone.
    pub restores: bool,
    pub before: State,
    pub after: State,
}

/// What is undone.
#[derive(Debug, Clone)]
pub struct Span {
    pub since: i64,
    pub until: i64,
    pub actor: Option<String>,
}

impl Span {
    fn holds(&self, step: &Step) -> bool {
        (self.since..self.until).contains(&step.time)
    }

    fn selects(&self, step: &Step) -> bool {
        self.holds(step) && self.actor.as_ref().is_none_or(|actor| *actor == step.actor)
    }
}

/// The standing to which an undo brings back a user, and whether somebody else has changed it since;
/// `None` if nothing is to be undone.
fn standing(steps: &[Step], span: &Span, id: &str) -> Option<(Standing, bool)> {
    let of = |state: &State| state.users.get(id).copied();
    let recent = steps.iter().filter(|step| step.time >= span.since);
    let changes: Vec<(&Step, Option<Standing>, Option<Standing>)> = recent
        .map(|step| (step, of(&step.before), of(&step.after)))
        .filter(|(_, before, after)| before != after)
        .collect();
    let access = |standing: Option<Standing>| match standing {
        Some(Standing::Active) => 2,
        Some(Standing::Inactive) => 1,
        Some(Standing::Deleted | Standing::Lost) | None => 0,
    };
    let first = changes
        .iter()
        .position(|(step, before, after)| span.selects(step) && access(*after) < access(*before))?;
    let (earlier, later) = changes.split_at(first);
    // The selected changes that lead to it without a change of anybody else, except a creation.
    let own = earlier.iter().rev().take_while(|(step, _, _)| span.selects(step));
    let befores = own.filter_map(|(_, before, _)| *before).chain(changes[first].1);
    let target = befores.min_by_key(|before| access(Some(*before)))?;
    Some((target, later.iter().any(|(step, _, _)| !span.selects(step))))
}

/// What happened to one thing since the beginning of the span.
struct Aspect<T> {
    /// The state before the first change that is undone.
    target: Option<T>,
    /// Whether somebody else has changed it since.
    is_others: bool,
}

impl<T: PartialEq> Aspect<T> {
    /// `of` is the thing in a state; `undone` tells whether a change is of a kind that is undone.
    fn of(
        steps: &[Step],
        span: &Span,
        of: impl Fn(&State) -> T,
        mut undone: impl FnMut(&Step, &T, &T) -> bool,
    ) -> Self {
        let mut aspect = Self { target: None, is_others: false };
        for step in steps.iter().filter(|step| step.time >= span.since) {
            let (before, after) = (of(&step.before), of(&step.after));
            if before == after {
                continue;
            }
            match (&aspect.target, span.selects(step)) {
                (None, true) if undone(step, &before, &after) => aspect.target = Some(before),
                (Some(_), false) => aspect.is_others = true,
                _ => {}
            }
        }
        aspect
    }
}

/// The users and groups that came in the span, and of which the log has nothing before.
fn newcomers(steps: &[Step], span: &Span) -> BTreeSet<String> {
    let (mut seen, mut new) = (BTreeSet::new(), BTreeSet::new());
    for step in steps.iter().filter(|step| step.time >= span.since) {
        let ids = step.after.users.keys().chain(&step.before.groups).chain(&step.after.groups);
        for id in ids.collect::<BTreeSet<_>>() {
            let of = |state: &State| (state.users.get(id).copied(), state.groups.contains(id));
            if of(&step.before) == of(&step.after) {
                continue;
            }
            let is_there = |state: &State| state.is_there(id);
            let comes = !is_there(&step.before) && is_there(&step.after) && !step.restores;
            if seen.insert(id.clone()) && comes && span.holds(step) {
                new.insert(id.clone());
            }
        }
    }
    new
}

/// The state after the undo of a span, if `last` is the one before it. `names` are those of users and
/// groups: no two visible users have one name, and no two groups.
pub fn undone(
    steps: &[Step],
    span: &Span,
    names: &BTreeMap<String, String>,
    last: &State,
) -> State {
    let mut state = last.clone();
    let mut restored: Vec<&String> = Vec::new();
    let visible = last.users.iter().filter(|(_, user)| user.is_visible());
    let mut taken: BTreeSet<&String> = visible.map(|(id, _)| &names[id]).collect();
    let mut users: Vec<&String> = last.users.keys().collect();
    let new = newcomers(steps, span);
    users.sort_by_key(|id| (&names[*id], new.contains(*id), *id));
    for id in users {
        let Some((target, is_others)) = standing(steps, span, id) else { continue };
        let now = last.users[id];
        if now == target || is_others || now == Standing::Lost || now == Standing::Active {
            continue;
        }
        if !target.is_visible() {
            continue;
        }
        if now == Standing::Deleted {
            if !taken.insert(&names[id]) {
                continue;
            }
            restored.push(id);
        }
        state.users.insert(id.clone(), target);
    }
    let recent = || steps.iter().filter(|step| step.time >= span.since);
    let groups: BTreeSet<&String> = recent().flat_map(|step| &step.before.groups).collect();
    let mut groups: Vec<&String> = groups.into_iter().collect();
    groups.sort_by_key(|id| (new.contains(*id), *id));
    let mut taken: BTreeSet<&String> = last.groups.iter().map(|id| &names[id]).collect();
    for id in groups {
        let aspect =
            Aspect::of(steps, span, |state| state.groups.contains(id), |_, before, _| *before);
        let comes = aspect.target == Some(true) && !aspect.is_others;
        if comes && !last.groups.contains(id) && taken.insert(&names[id]) {
            state.groups.insert(id.clone());
        }
    }
    let (was, is) = (memberships(steps, span, (last, &restored), &state), &mut state);
    is.members = was;
    state
}

/// The memberships after the undo.
fn memberships(
    steps: &[Step],
    span: &Span,
    (last, restored): (&State, &[&String]),
    state: &State,
) -> BTreeSet<(String, String)> {
    let new = newcomers(steps, span);
    let recent = steps.iter().filter(|step| step.time >= span.since);
    let states = recent.flat_map(|step| [&step.before, &step.after]).chain([last]);
    let pairs: BTreeSet<&(String, String)> = states.flat_map(|state| &state.members).collect();
    let there = pairs.into_iter().filter(|pair| {
        let (group, member) = pair;
        let is_new = new.contains(group) || new.contains(member);
        // What is given to newcomers stays, but if it is taken by another change than a deletion, it
        // was nothing of before the span.
        let mut given = false;
        let undone = |step: &Step, before: &bool, _: &bool| {
            let deletes = !step.after.groups.contains(group) || !step.after.is_there(member);
            if !*before {
                given |= is_new && !step.restores;
                return !(is_new || step.restores);
            }
            deletes || !given
        };
        let aspect = Aspect::of(steps, span, |state| state.members.contains(*pair), undone);
        // A user who is restored comes back into the groups of its last deletion.
        let deletion = steps.iter().rev().find(|step| {
            let visible = |state: &State| state.is_there(member);
            restored.contains(&member) && visible(&step.before) && !visible(&step.after)
        });
        let now = deletion.map_or(last, |step| &step.before).members.contains(*pair);
        let wanted = match aspect.target {
            Some(target) if !aspect.is_others => target,
            Some(false) if restored.contains(&member) => false,
            _ => now,
        };
        wanted && state.groups.contains(group) && state.is_there(member)
    });
    there.cloned().collect()
}
