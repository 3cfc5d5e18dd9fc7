"""Work that web processes ask for and workers do: they meet here, and in files that workers write."""
