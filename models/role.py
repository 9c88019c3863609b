"""What roles may: Flask-AppBuilder's tables, read in words, and changed under the rules that keep the three administrators apart (spec 1)."""

from __future__ import annotations

import re
from collections.abc import Mapping

import sqlalchemy as sa
from flask_appbuilder.security.sqla.models import Permission, PermissionView, Role, ViewMenu
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from models import event
from models.base import RECORD_TYPES, Record
from models.field import Text
from models.organisation import Organisation
from models.person import ROLES, Person
from models.refusal import Conflict, Forbidden, Invalid
from models.viewer import ADMINISTRATORS, Viewer
from models.workflow import Transition

GENERIC: Mapping[str, Text] = {
    "can_list": _l("see the list"),
    "can_show": _l("open a record"),
    "can_add": _l("create a record"),
    "can_edit": _l("change a record"),
    "can_delete": _l("delete a record"),
    "can_export": _l("export the list"),
    "can_import": _l("import a list"),
}
"""What may be done with records of every type, in words."""

READING = frozenset({"can_list", "can_show", "can_export"})

KEEPING = frozenset(
    {
        "Person",
        "Organisation",
        "OrganisationAlias",
        "Substitution",
        "Portfolio",
        "Setting",
        "CalendarYear",
        "CalendarDay",
        "NumberSeries",
    }
)
"""Types that are kept by administrators: no business of the county."""

APART = frozenset({"Event", "Role", "NumberSeries", "SetUp"})
"""What only the administrator's role has that has it at the factory: the three are kept apart (spec 1)."""

BESIDE_RECORDS: Mapping[str, Text] = {
    "Event": _l("Audit trail"),
    "Role": _l("Roles"),
    "Calendar": _l("Working calendar"),
    "SetUp": _l("Setting up the county"),
    "Access": _l("Who sees what"),
}
"""What pages that belong to no record type are called."""

THREAD = "role"
"""Name of the threads on which changes of roles stand."""


def _model(resource: str) -> type[Record] | None:
    return next((model for model in RECORD_TYPES.values() if model.__name__ == resource), None)


def step_of(permission: str, resource: str) -> Transition | None:
    """The step of a workflow that a permission opens."""
    model, name = _model(resource), permission.removeprefix("can_")
    if model is None or model.workflow is None or name not in model.workflow:
        return None
    return model.workflow[name]


def resource_words(resource: str) -> Text:
    """A resource as people call it."""
    model = _model(resource)
    return model.plural if model is not None else BESIDE_RECORDS.get(resource, resource)


def permission_words(permission: str, resource: str) -> Text:
    """A permission as people call it."""
    step = step_of(permission, resource)
    return step.label if step is not None else GENERIC.get(permission, permission.removeprefix("can_"))


def refusal(role: str, permission: str, resource: str, defaults: frozenset[str] = frozenset()) -> Text | None:
    """Why a permission cannot be given to a role; None where it can.

    `defaults` are the roles that have it at the factory. A step belongs to the roles that its rule names: given to another one it would open
    nothing, so it is refused instead of pretending.
    """
    if role in defaults:
        return None
    if role == "auditor" and permission not in READING:
        return _l("The auditor reads and changes nothing.")
    if role in ADMINISTRATORS and permission not in READING:
        return _l("An administrator's role carries no powers beside its own.")
    if resource in APART:
        return _l("Only an administrator's role carries this.")
    if role not in ADMINISTRATORS and resource in KEEPING and permission not in READING:
        return _l("Only an administrator's role carries this.")
    step = step_of(permission, resource)
    if step is not None and role not in step.roles:
        return _l("By its rule this step belongs to other roles.")
    return None


def granted(session: Session, role_id: int) -> set[tuple[str, str]]:
    """(permission, resource) of everything that a role may."""
    rows = session.execute(
        sa.select(Permission.name, ViewMenu.name)
        .select_from(PermissionView)
        .join(PermissionView.permission)
        .join(PermissionView.view_menu)
        .join(PermissionView.role)
        .where(Role.id == role_id)
    )
    return {(str(row[0]), str(row[1])) for row in rows}


def check_may_change(session: Session, person: Viewer) -> None:
    """Roles are the same for the whole installation. Raises Forbidden where a county would change them for another one."""
    if person.whole_installation:
        return
    table = sa.inspect(Organisation).local_table
    counties = session.connection().execute(sa.select(sa.func.count()).where(table.c.kind == "county")).scalar()
    if (counties or 0) > 1:
        raise Forbidden(
            _l(
                "Roles are the same for all counties of this installation. They are changed by its own security administrator."
            )
        )


def change(
    session: Session,
    role: Role,
    permission: str,
    resource: str,
    *,
    give: bool,
    defaults: frozenset[str],
    person: Viewer,
) -> None:
    """Give or take a single permission, with an event. Raises Forbidden, Invalid, Conflict."""
    check_may_change(session, person)
    if give and (reason := refusal(role.name, permission, resource, defaults)) is not None:
        raise Invalid({"permission": reason})
    if not give and (role.name, permission, resource) == ("security_administrator", "can_assign_roles", "Person"):
        raise Invalid({"permission": _l("Somebody must be able to assign roles.")})
    pair = session.scalars(
        sa.select(PermissionView)
        .join(PermissionView.permission)
        .join(PermissionView.view_menu)
        .where(Permission.name == permission, ViewMenu.name == resource)
    ).one_or_none()
    if pair is None:
        raise Invalid({"permission": _l("There is no such permission.")})
    if (pair in role.permissions) == give:
        raise Conflict(_l("This is so already."))
    if give:
        role.permissions.append(pair)
    else:
        role.permissions.remove(pair)
    session.flush()
    _tell(
        session,
        role,
        "permission_given" if give else "permission_taken",
        {"permission": permission, "resource": resource},
        person,
    )


def create(session: Session, name: str, person: Viewer) -> Role:
    """A role of the county's own. Raises Forbidden, Invalid."""
    check_may_change(session, person)
    name = name.strip()
    if not 2 <= len(name) <= 30 or re.search(r"[\x00-\x1f]", name):
        raise Invalid({"name": _l("A name has 2 to 30 characters.")})
    names = {role.name for role in session.scalars(sa.select(Role))} | {str(role.label) for role in ROLES.values()}
    if name in names:
        raise Invalid({"name": _l("There is a role of this name already.")})
    role = Role(name=name)
    session.add(role)
    session.flush()
    _tell(session, role, "role_created", {"name": name}, person)
    return role


def remove(session: Session, role: Role, person: Viewer) -> None:
    """A role of the county's own that nobody has. Raises Forbidden, Conflict."""
    check_may_change(session, person)
    if role.name in ROLES:
        raise Conflict(_l("The roles of the rules cannot be removed."))
    if session.scalar(sa.select(Person.id).where(Person.roles.any(id=role.id)).limit(1)) is not None:
        raise Conflict(_l("Somebody still has this role."))
    _tell(session, role, "role_removed", {"name": role.name}, person)
    session.delete(role)
    session.flush()


def _tell(session: Session, role: Role, name: str, values: Mapping[str, str], person: Viewer) -> None:
    thread = (THREAD, role.id)
    told = {"role": role.name, **values}
    event.append_to(session, thread, thread, "role", name, told, county_id=person.county_id, actor=person)
