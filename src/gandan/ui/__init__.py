"""The look and the words that all pages share: the front desk of a mountain commune, in deep tea green,
ripe-rice yellow and warm paper. It knows no citizen, no unit and no case: it draws what it is given."""
