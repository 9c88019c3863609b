"""The REST interface's parts: what is asked, what is read, what is written, how it is described (spec 4, REST)."""
