"""The field's words for codes that several areas show (domain: glossary). Msgids; translated where they are shown."""

from panel.core.errors import Label

ROLES = {
    "chair": Label("Chair"),
    "member": Label("Member"),
    "secretary": Label("Secretary"),
    "recorder": Label("Recorder"),
    "handler": Label("Case handler"),
    "official": Label("Official concerned"),
    "helper": Label("Helper of the official"),
    "authority": Label("Deciding authority"),
    "observer": Label("Observer"),
    "projector": Label("Projector"),
    "recused": Label("Recused"),
}
CATEGORIES = {
    "discipline": Label("Discipline inspection and supervision"),
    "organization": Label("Organization and personnel"),
    "legal": Label("Legal professional"),
    "expert": Label("Sector expert"),
    "stakeholder": Label("Stakeholder representative"),
    "public": Label("Public representative"),
    "media": Label("Media representative"),
}
OUTCOMES = {
    "exempt": Label("Accountability waived on tolerance grounds"),
    "mitigate": Label("Accountability mitigated on tolerance grounds"),
    "deny": Label("Tolerance denied"),
    "clear": Label("No fault: the name is cleared"),
    "suspend": Label("Suspended or ended"),
}
OPTIONS = {
    "established": Label("Established"),
    "not_established": Label("Not established"),
    "undetermined": Label("Cannot be determined"),
    "approve": Label("Approve"),
    "disapprove": Label("Disapprove"),
    "defer": Label("Defer"),
    "abstain": Label("Abstain"),
}
RESULTS = {
    "carried": Label("Carried"),
    "lost": Label("Not carried"),
    "deferred": Label("Deferred: nearly equal"),
    "lapsed": Label("Lapsed: no quorum"),
}
DISSENTS = {
    "dissent": Label("Dissent"),
    "reservation": Label("Reservation"),
    "concurrence": Label("Concurring opinion"),
}
PHASES = {
    "scheduled": Label("Scheduled"),
    "opening": Label("Opening"),
    "presentation": Label("Presentation by the case handler"),
    "explanation": Label("Explanation by the official"),
    "questions": Label("Questions by the members"),
    "recess": Label("Recess"),
    "deliberation": Label("Closed deliberation"),
    "opinions": Label("Second round of opinions"),
    "motions": Label("Motions and votes"),
    "closing_statement": Label("Closing statement of the official"),
    "summing_up": Label("Summing up and announcement"),
    "ended": Label("Ended"),
}
SECRECY = {"open": Label("Open ballot"), "sealed": Label("Secret ballot")}
TRACKS = {
    "concurrent": Label("Considered together with accountability"),
    "application": Label("On application"),
}
