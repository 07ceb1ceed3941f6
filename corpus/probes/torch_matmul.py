"""PyTorch multiplies, differentiates, and compiles a script."""

import torch

a = torch.arange(6.0).reshape(2, 3).requires_grad_()
(a @ a.T).sum().backward()
print(a.grad.tolist())
print(torch.jit.script(torch.nn.Linear(3, 1))(a).shape, torch.linalg.det(torch.eye(3)).item())
