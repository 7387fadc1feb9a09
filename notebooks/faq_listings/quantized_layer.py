import torch
from torch.nn import Module
from torch.quantization import QuantizedModuleWrapper

# 定义一个简单的量化网络层
class QuantizedLinear(Module):
    def __init__(self, in_features, out_features):
        super().__init__()
        self.fc = QuantizedModuleWrapper(torch.nn.Linear(in_features, out_features), dtype=torch.float16)

    def forward(self, x):
        return self.fc(x)

# 使用量化网络层构建模型
model = torch.nn.Sequential(
    torch.nn.Linear(784, 128),
    QuantizedLinear(128, 10),
    torch.nn.ReLU(),
    torch.nn.Linear(10, 10),
    torch.nn.Softmax(dim=1)
)

# 加载MNIST数据集
mnist = torch.tensor([[0.1, 0.2, 0.3, 0.4, 0.5], [0.6, 0.7, 0.8, 0.9, 1.0]], dtype=torch.float32)

# 测试量化网络层
output = model(mnist)
print(output)
