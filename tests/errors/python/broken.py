def wide(:
    pass
