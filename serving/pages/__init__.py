"""The web pages, one module a page; what they show comes from the same functions as the API's answers."""
