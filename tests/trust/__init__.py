"""The page of figures: what is promised, what was found, and what shows that the finding could have been otherwise.

`rows` says what is promised and which command measures it, `reading` what the files of results came to, `page` writes
`docs/trust.md`. `script/trust` runs them.
"""
