"""A question's text for a page, a terminal and a card, in English and Chinese."""
