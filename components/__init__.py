"""KFP components: one folder each; each reads artifacts, calls one library function, writes artifacts."""
