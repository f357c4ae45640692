-- What the demo keeps beside the counters, to be able to check them

CREATE EXTENSION missing_symbol;

CREATE TABLE request (
    n           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source      text NOT NULL,
    symbol      text,
    debugid     text,
    filename    text,
    code_file   text,
    code_id     text
);

CREATE TABLE answer (
    n           bigint PRIMARY KEY REFERENCES request,
    outcome     text NOT NULL,
    error       text
);
