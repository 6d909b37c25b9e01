"""The published warehouse for programs and assistants: a read API and tools, off unless started.

Belongs here: HTTP and tool calls over the views of schema `bi`. Does not belong here: any figure, any access but that of
`publication.reader`, which is read-only and confined.
"""
