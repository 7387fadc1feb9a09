import torch
from torch import nn

# 加载原始FP32模型
model_fp32 = torch.load('model_fp32.pth')

# 加载量化FP16模型
model_fp16 = torch.load('model_fp16.pth')

# 定义精度评估函数
def accuracy_evaluation(model, data_loader):
    model.eval()
    correct = 0
    total = 0
    with torch.no_grad():
        for inputs, labels in data_loader:
            outputs = model(inputs)
            _, predicted = torch.max(outputs, 1)
            total += labels.size(0)
            correct += (predicted == labels).sum().item()
    return correct / total

# 加载MNIST数据集
mnist = torch.tensor([[0.1, 0.2, 0.3, 0.4, 0.5], [0.6, 0.7, 0.8, 0.9, 1.0]], dtype=torch.float32)

# 测试精度评估函数
accuracy_fp32 = accuracy_evaluation(model_fp32, mnist)
accuracy_fp16 = accuracy_evaluation(model_fp16, mnist)
print("Accuracy (FP32): {:.2f}%".format(accuracy_fp32 * 100))
print("Accuracy (FP16): {:.2f}%".format(accuracy_fp16 * 100))
