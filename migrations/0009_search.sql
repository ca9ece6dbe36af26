-- Words by which files are found: those of a current file's path and of what is said of it.
CREATE TABLE file_word (
    bucket {uuid} NOT NULL,
    word {text} NOT NULL,
    path {text} NOT NULL,
    PRIMARY KEY (bucket, word, path)
);
CREATE INDEX file_word_by_path ON file_word (bucket, path, word);
