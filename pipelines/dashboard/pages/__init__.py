"""The pages, one module each with its `PAGE`; the builder finds them here. The module's name is the page's."""
