"""The source kit: what a source module may use. Types and errors, HTTP, bundled files, AWS."""
