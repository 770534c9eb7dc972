"""Rule documents: those in force, and each as a case runs under it."""

from starlette.responses import Response
from starlette.routing import Route

from panel.accounts import queries as accounts
from panel.core.pages import Reading, page
from panel.rulebook import queries
from panel.rulebook.models import RuleDocument
from panel.rulebook.rules import CATALOGUE, CONSIDERATIONS, PROCEDURE, Considerations, ProcedureRules, text_of


@page("rulebook.read")
def show_documents(reading: Reading) -> Response:
    """Every rule document of this installation, by kind; the newest version of each is in force for new cases."""
    found = [(document, queries.title(document)) for document in queries.documents(reading.db)]
    newest = {document.key: document.version for document, _ in found}
    return reading.render("rulebook/documents.html", documents=found, newest=newest)


@page("rulebook.read", of=queries.document)
def show_document(reading: Reading, document: RuleDocument) -> Response:
    """Show one version of a rule document, each rule with its source and how well that was read."""
    body, kind = document.body, document.kind
    return reading.render(
        "rulebook/document.html",
        document=document,
        title=queries.title(document),
        kinds=(PROCEDURE, CONSIDERATIONS, CATALOGUE),
        procedure=ProcedureRules.from_body(body) if kind == PROCEDURE else None,
        considerations=Considerations.from_body(body) if kind == CONSIDERATIONS else None,
        text_of=text_of,
    )


@page("rulebook.read")
def show_duties(reading: Reading) -> Response:
    """Show the duties in a case, which of them exclude one another, and the offices: each with its source."""
    return reading.render("rulebook/duties.html", rules=queries.duty_rules(), offices=accounts.office_rules())


routes = [
    Route("/rules", show_documents, name="rulebook.documents"),
    Route("/rules/duties", show_duties, name="rulebook.duties"),
    Route("/rules/{id}", show_document, name="rulebook.document"),
]
