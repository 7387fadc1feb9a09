import torch
from torch.quantization import quantize_dynamic

# 加载原始FP32模型
model = torch.load('model_fp32.pth')

# 将模型转换为FP16模型
model = quantize_dynamic(model, {torch.nn.Linear}, dtype=torch.float16)

# 定义量化推理函数
def quantized_inference(input_data):
    with torch.no_grad():
        output = model(input_data)
    return output

# 测试量化推理
input_data = torch.randn(1, 784).float()
output = quantized_inference(input_data)
print(output)
