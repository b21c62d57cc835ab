from gendsl_runtime.component import plot


@plot()
def own(table):
    return table
