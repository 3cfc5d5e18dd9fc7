"""One function a user task: settings and typed inputs in, one typed result out.

The command line, the KFP components and the web service are faces of these functions: they parse, call and
show. What is stored where (datasets, queue, runs, versions, reports) is decided here and nowhere else.
"""
