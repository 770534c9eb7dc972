"""The cast: fictional people whom every test knows."""

from dataclasses import dataclass

from panel.committees.models import Category
from panel.core.security import Office, Role


@dataclass(frozen=True)
class Someone:
    """A person of the cast; `category` for those with a seat."""

    key: str
    name: str
    role: Role
    category: Category | None = None


CHAIR = Someone("chair", "欧阳岚", Role.CHAIR, Category.LEGAL)
MEMBERS = (
    Someone("luo", "罗正", Role.MEMBER, Category.DISCIPLINE),
    Someone("qin", "秦月", Role.MEMBER, Category.ORGANIZATION),
    Someone("qian", "钱程", Role.MEMBER, Category.LEGAL),
    Someone("meng", "孟工", Role.MEMBER, Category.EXPERT),
    Someone("shi", "石磊", Role.MEMBER, Category.EXPERT),
    Someone("feng", "冯婷", Role.MEMBER, Category.PUBLIC),
    Someone("duan", "段维", Role.MEMBER, Category.STAKEHOLDER),
    Someone("jiang", "江雪", Role.MEMBER, Category.MEDIA),
)
ALTERNATE = Someone("he", "何其", Role.MEMBER, Category.EXPERT)
OTHERS = (
    Someone("secretary", "陆青", Role.SECRETARY),
    Someone("recorder", "童言", Role.RECORDER),
    Someone("handler", "高捷", Role.HANDLER),
    Someone("handler2", "尹平", Role.HANDLER),
    Someone("official", "黄某", Role.OFFICIAL),
    Someone("helper", "韦助", Role.HELPER),
    Someone("authority", "贺局", Role.AUTHORITY),
    Someone("observer", "游览", Role.OBSERVER),
    Someone("projector", "投影", Role.PROJECTOR),
)
SEATED = (CHAIR, *MEMBERS)
CAST = (*SEATED, ALTERNATE, *OTHERS)
STRANGER = Someone("stranger", "路过", Role.OBSERVER)
"""Signed in, but with no part in the case."""


@dataclass(frozen=True)
class Officer:
    """A person who holds an office of the installation and has no part in the case."""

    key: str
    name: str
    office: Office


SYSTEM = Officer("system", "司维", Office.SYSTEM)
OFFICERS = (
    SYSTEM,
    Officer("security", "安平", Office.SECURITY),
    Officer("audit", "申计", Office.AUDIT),
    Officer("clerk", "文书", Office.SECRETARY),
)
