"""The `panel` command."""

import typer

from panel.cli import bench, demo, record, serve

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
app.command("demo")(demo.demo)
app.command("serve")(serve.serve)
app.command("verify")(record.verify)
app.command("audit")(record.audit)
app.add_typer(bench.bench, name="bench")
app.add_typer(record.export, name="export", help="Export what an audience may check.")


def main() -> None:
    """Run the command line."""
    app()
