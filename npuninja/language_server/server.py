"""The server: what an editor asks, answered by `analysis`. Needs pygls."""

from __future__ import annotations

from typing import Any

from lsprotocol import types
from pygls.lsp.server import LanguageServer

from npuninja import __version__
from npuninja.errors import Location
from npuninja.language_server import analysis


def make_server() -> LanguageServer:
    """The server, ready to be started on standard input and output."""
    server = LanguageServer("npuninja", __version__)

    def publish(uri: str) -> None:
        document = server.workspace.get_text_document(uri)
        diagnostics = [
            types.Diagnostic(
                range=_range(document.source, finding.line, finding.column),
                message=finding.message,
                severity=types.DiagnosticSeverity.Error
                if finding.error
                else types.DiagnosticSeverity.Warning,
                source="npuninja",
            )
            for finding in analysis.findings(document.source, document.path)
        ]
        server.text_document_publish_diagnostics(
            types.PublishDiagnosticsParams(uri=uri, diagnostics=diagnostics, version=document.version)
        )

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def opened(parameters: types.DidOpenTextDocumentParams) -> None:
        publish(parameters.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def changed(parameters: types.DidChangeTextDocumentParams) -> None:
        publish(parameters.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_HOVER)
    def hover(parameters: types.HoverParams) -> types.Hover | None:
        document = server.workspace.get_text_document(parameters.text_document.uri)
        text = analysis.hover(document.source, document.path, *_place(parameters))
        return types.Hover(types.MarkupContent(types.MarkupKind.Markdown, text)) if text else None

    @server.feature(types.TEXT_DOCUMENT_DEFINITION)
    def definition(parameters: types.DefinitionParams) -> types.Location | None:
        document = server.workspace.get_text_document(parameters.text_document.uri)
        found = analysis.definition(document.source, document.path, *_place(parameters))
        return _located(found) if found else None

    return server


def _place(parameters: Any) -> tuple[int, int]:
    return parameters.position.line + 1, parameters.position.character + 1


def _range(text: str, line: int, column: int) -> types.Range:
    """From a place to the end of the word there."""
    lines = text.split("\n")
    rest = lines[line - 1][column - 1 :] if line <= len(lines) else ""
    length = len(rest) - len(rest.lstrip('@%"')) or 0
    while length < len(rest) and (rest[length].isalnum() or rest[length] in "_.$"):
        length += 1
    start = types.Position(line - 1, column - 1)
    return types.Range(start, types.Position(line - 1, column - 1 + max(length, 1)))


def _located(place: Location) -> types.Location:
    import os
    import pathlib

    at = types.Position(max(place.line - 1, 0), max(place.column - 1, 0))
    return types.Location(pathlib.Path(os.path.abspath(place.file)).as_uri(), types.Range(at, at))
