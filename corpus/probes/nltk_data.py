"""NLTK finds data in a directory that is told to it, and uses it."""

from pathlib import Path

import nltk

corpus = Path("data/corpora/stopwords")
corpus.mkdir(parents=True)
(corpus / "english").write_text("the\na\n")
nltk.data.path.insert(0, str(Path("data").resolve()))
from nltk.corpus import stopwords  # noqa: E402

print(stopwords.words("english"), Path(nltk.data.find("corpora/stopwords").path).name)
print(nltk.PorterStemmer().stem("running"), nltk.wordpunct_tokenize("It's here."))
