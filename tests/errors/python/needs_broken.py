from torch import nn

from broken import wide


class Net(nn.Module):
    def __init__(self, inputs, outputs):
        self.last = wide(inputs, outputs)
