-- Run when the server starts for the first time; both belong to its one user.
CREATE DATABASE icefloe;
CREATE DATABASE mlflow;
