-- People and what they may do.
CREATE TABLE setting (
    name {text} PRIMARY KEY,
    value {text} NOT NULL
);
