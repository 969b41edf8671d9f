"""What may stand between the columns of a text file, by the words for it."""

DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|"}
