"""The local page: the runs of a store, those in progress and those that are finished."""
