"""What the labelling queue keeps in the database: one module of statements a table."""
