"""What people bring: reports, complaints, requests. Who has it, what was done, what was answered.

A case keeps facts (received, accepted, taken, asked, answered, closed) and derives its state from them. Its
promises to the citizen are obligations one storey below; the person's name stands apart from the matter.
"""
