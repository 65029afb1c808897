"""Who owes what to whom by when, and on what ground.

One holder, one clock. What happened to it is a list of events that is only ever added to; the due date, the
owner and the end are read off that list again whenever somebody doubts them. Obligations know nothing of
what they are about: a room registers a kind and supplies the titles.
"""
