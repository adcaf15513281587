//! Where to click: the same place of each identity provider, in the names that its console uses.

/// The sentences of one place, in the order of [`super::Idp::ALL`].
pub(super) type Clicks = [&'static str; 5];

/// The cure does not depend on the identity provider.
pub(super) const NONE: Clicks = [""; 5];

/// The mapping of attributes.
pub(super) const MAPPING: Clicks = [
    "Open Enterprise applications > (app) > Provisioning > Attribute mapping, change the mapping \
     of the attribute, and try one user with Provision on demand.",
    "Open Applications > (app) > Provisioning > To App, change the mapping of the attribute, and \
     retry the failed task under Dashboard > Tasks.",
    "Open Applications > (app) > Parameters, change the value of the parameter, and retry the user \
     under Users > Provisioning.",
    "Open Apps > Web and mobile apps > (app) > Autoprovisioning, and edit the attribute mapping; \
     Google sends the user again by itself.",
    "Change the value that the identity provider maps to the attribute, and send the user again.",
];

/// Two people with one name.
pub(super) const DUPLICATE: Clicks = [
    "Open Enterprise applications > (app) > Provisioning > Attribute mapping, and check the \
     matching attribute; if two people have the value, remove one under Users and groups.",
    "Open Applications > (app) > Assignments, and unassign one of the two, or edit the user name \
     that the app gets; then retry under Dashboard > Tasks.",
    "Open Users > (person) > Applications > (app), and change the value, or remove the app from \
     one of the two; then retry under Users > Provisioning.",
    "Open Directory > Users, and give one of the two another address, or take them out of the \
     scope under Apps > Web and mobile apps > (app) > Autoprovisioning.",
    "Give one of the two people another value in the identity provider, or unassign one.",
];

/// A request that is sent again.
pub(super) const RETRY: Clicks = [
    "The next cycle sends it again; Enterprise applications > (app) > Provisioning > Provision on \
     demand sends one user at once.",
    "Open Dashboard > Tasks, and retry the failed task; for a group, open Applications > (app) > \
     Push Groups > Push now.",
    "Open Users > Provisioning, and retry the user.",
    "Google sends it again by itself.",
    "Send the user or the group again.",
];

/// The bearer token.
pub(super) const TOKEN: Clicks = [
    "Open Enterprise applications > (app) > Provisioning > Connectivity (Admin Credentials), paste \
     the token as Secret Token, press Test Connection, save, and press Restart provisioning.",
    "Open Applications > (app) > Provisioning > Integration > Edit, paste the token, press Test API \
     Credentials (Test Connector Configuration), and save.",
    "Open Applications > (app) > Configuration, paste it as SCIM Bearer Token, save, and press \
     Enable under API Status.",
    "Open Apps > Web and mobile apps > (app) > Autoprovisioning, and paste it as access token.",
    "Paste the token into the identity provider's settings of provisioning, and test the \
     connection.",
];

/// The base URL.
pub(super) const BASE_URL: Clicks = [
    "Open Enterprise applications > (app) > Provisioning > Connectivity (Admin Credentials), and \
     correct the Tenant URL.",
    "Open Applications > (app) > Provisioning > Integration > Edit, and correct the SCIM connector \
     base URL.",
    "Open Applications > (app) > Configuration, and correct the SCIM Base URL.",
    "Open Apps > Web and mobile apps > (app) > Autoprovisioning, and correct the endpoint URL.",
    "Correct the base URL in the identity provider's settings of provisioning.",
];

/// What the identity provider does with users.
pub(super) const ACTIONS: Clicks = [
    "Open Enterprise applications > (app) > Provisioning > Attribute mapping > Provision Microsoft \
     Entra ID Users, and clear the action under Target Object Actions.",
    "Open Applications > (app) > Provisioning > To App > Edit, and clear Create Users, Update User \
     Attributes or Deactivate Users.",
    "Open Applications > (app) > Provisioning, and change the action for users who are deleted or \
     lose access.",
    "Open Apps > Web and mobile apps > (app) > Autoprovisioning, and change the deprovisioning.",
    "Switch the action off in the identity provider's settings of provisioning.",
];

/// Whether groups are sent.
pub(super) const GROUPS: Clicks = [
    "Open Enterprise applications > (app) > Provisioning > Attribute mapping > Provision Microsoft \
     Entra ID Groups, and set Enabled to No.",
    "Open Applications > (app) > Push Groups, and deactivate the pushed groups.",
    "Open Applications > (app) > Parameters > Groups, and clear Include in User Provisioning.",
    "Google sends no groups; look for another client that has the token.",
    "Switch the provisioning of groups off in the identity provider.",
];

/// The people for whom the application is.
pub(super) const ASSIGNMENTS: Clicks = [
    "Open Enterprise applications > (app) > Users and groups, and remove whom the product should \
     not have.",
    "Open Applications > (app) > Assignments, and remove whom the product should not have.",
    "Open Applications > (app) > Access, and take the app from a role.",
    "Open Apps > Web and mobile apps > (app) > User access, and switch it off for a group.",
    "Unassign people whom the product should not have.",
];

/// A member of a group who was not provisioned.
pub(super) const MEMBERS: Clicks = [
    "Open Enterprise applications > (app) > Users and groups, and assign the member; the next cycle \
     sends the user, and then the group.",
    "Open Applications > (app) > Assignments, and assign the member; then open Push Groups > Push \
     now.",
    "Open Applications > (app) > Access, and give the member a role with the app; then retry under \
     Users > Provisioning.",
    "Open Apps > Web and mobile apps > (app) > Autoprovisioning, and widen the scope to the member.",
    "Assign the member to the application, and send the group again.",
];

/// Provisioning that may have stopped.
pub(super) const RESTART: Clicks = [
    "Then open Enterprise applications > (app) > Provisioning, and press Restart provisioning if it \
     is in quarantine.",
    "Then open Dashboard > Tasks, and retry the failed tasks.",
    "Then open Users > Provisioning, and retry the failed users.",
    "Google then sends the users again by itself.",
    "Then send the users again.",
];
