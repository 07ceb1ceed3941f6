"""A blank pipeline of spaCy finds its language data and lookups."""

import spacy

nlp = spacy.blank("en")
nlp.add_pipe("sentencizer")
print([token.text for token in nlp("This isn't hard. It works.")], nlp.meta["lang"])
print([token.is_stop for token in spacy.blank("de")("der Hund")])
nlp.to_disk("model")
print(spacy.load("model").pipe_names)
