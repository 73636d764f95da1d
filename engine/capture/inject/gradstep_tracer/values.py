"""The bytes of a tensor, and what is told of one that is too large for all of them.

Everything here is called with torch functions and gradients disabled, and changes nothing.
"""

from __future__ import annotations

import ctypes
import struct
from types import ModuleType

WHOLE, STATISTICS, FINGERPRINT, SAMPLE, PASSING, SAME, GONE = 1, 2, 4, 8, 16, 64, 128
NOTHING = b"\0"
FIVE = struct.Struct("<5d")
SAMPLED, CORNER = 1024, 8
CHUNK = 2**16  # words that are multiplied with the same numbers again
GOLDEN = 0x9E3779B97F4A7C15
MASK = 2**64 - 1
DTYPES = [
    "bool",
    "uint8",
    "int8",
    "int16",
    "int32",
    "int64",
    "float16",
    "bfloat16",
    "float32",
    "float64",
    "complex64",
    "complex128",
]


def split_mix(number: int) -> int:
    """An odd number of the splitmix64 sequence of seed 0."""
    z = (number + 1) * GOLDEN & MASK
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & MASK
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB & MASK
    return (z ^ (z >> 31)) | 1


def signed(number: int) -> int:
    """The same 64 bits as torch's int64 has them."""
    return number - 2**64 if number >= 2**63 else number


class Reader:
    """Reads tensors."""

    def __init__(self, torch: ModuleType) -> None:
        self.torch = torch
        self.names = {getattr(torch, name): name for name in DTYPES}
        self.real = {
            torch.float16: 2,
            torch.bfloat16: 2,
            torch.float32: 4,
            torch.float64: 8,
        }
        self._multipliers = None
        functorch = getattr(torch._C, "_functorch", None)
        self._wrapped = getattr(functorch, "is_functorch_wrapped_tensor", lambda tensor: False)
        # What a class that dispatches nothing by itself has as __torch_dispatch__.
        self._passes = getattr(torch._C, "_disabled_torch_dispatch_impl", None)
        self.plain = {torch.Tensor, torch.nn.Parameter}

    def dtype(self, tensor) -> str:
        """Its dtype's name."""
        return self.names.get(tensor.dtype) or str(tensor.dtype).rpartition(".")[2]

    def readable(self, tensor) -> bool:
        """Whether it has bytes of its own that can be told."""
        return (
            tensor.layout is self.torch.strided
            and tensor.dtype in self.names
            and (type(tensor) in self.plain or type(tensor).__torch_dispatch__ is self._passes)
            and not self._wrapped(tensor)
            and tensor.device.type not in ("meta", "fake")
        )

    def here(self, tensor):
        """A contiguous tensor in this machine's memory with these values; itself if it is one."""
        if tensor.device.type != "cpu":
            tensor = tensor.cpu()
        if tensor.dtype.is_complex and tensor.is_conj():
            tensor = tensor.resolve_conj()
        if tensor.is_neg():
            tensor = tensor.resolve_neg()
        return tensor if tensor.is_contiguous() else tensor.contiguous()

    def raw(self, tensor) -> bytes:
        """All its bytes, in C order."""
        near = self.here(tensor)
        size = near.numel() * near.element_size()
        return ctypes.string_at(near.data_ptr(), size) if size else b""

    def sample(self, tensor):
        """A strided sample of a large tensor that is contiguous, flat."""
        flat = tensor.view(-1)
        return flat[:: -(-flat.numel() // SAMPLED)].contiguous()

    def corner(self, tensor):
        """The corner of the first matrix of a tensor that is contiguous."""
        sizes = [min(CORNER, size) for size in tensor.shape[-2:]]
        return tensor.as_strided(sizes, tensor.stride()[-2:], tensor.storage_offset())

    def statistics(self, tensor, sample) -> tuple:
        """Minimum and maximum of all elements; mean, root mean square and zeros of the sample."""
        torch = self.torch
        if tensor.dtype.is_complex:
            tensor, sample = tensor.abs(), sample.abs()
        low, high = torch.aminmax(tensor)
        some = sample.double()
        count = some.numel()
        square = torch.dot(some, some).item()
        filled = torch.count_nonzero(some).item()
        mean = some.sum().item() / count
        return low.item(), high.item(), mean, (square / count) ** 0.5, (count - filled) / count

    def multipliers(self):
        """The odd numbers for the words of a chunk, int64."""
        if self._multipliers is None:
            torch = self.torch
            z = torch.arange(1, CHUNK + 1, dtype=torch.int64) * signed(GOLDEN)
            z = (z ^ self.shifted(z, 30)) * signed(0xBF58476D1CE4E5B9)
            z = (z ^ self.shifted(z, 27)) * signed(0x94D049BB133111EB)
            self._multipliers = (z ^ self.shifted(z, 31)) | 1
        return self._multipliers

    @staticmethod
    def shifted(words, count: int):
        """Words moved right, with zeros from the left."""
        return (words >> count) & (2 ** (64 - count) - 1)

    def fingerprint(self, tensor) -> bytes:
        """As engine.recording.digests.quick_digest makes it: 8 bytes."""
        torch = self.torch
        near = self.here(tensor)
        size = near.numel() * near.element_size()
        count = -(-size // 8)
        total = split_mix(CHUNK + count)
        if size:
            flat = near.view(-1).view(torch.uint8)
            if size % 8 or flat.storage_offset() % 8:
                padded = torch.zeros(count * 8, dtype=torch.uint8)
                padded[:size] = flat
                flat = padded
            words = flat.view(torch.int64)
            numbers = self.multipliers()
            for number, start in enumerate(range(0, count, CHUNK)):
                part = words[start : start + CHUNK]
                mixed = part >> 32
                mixed &= 2**32 - 1
                mixed ^= part
                found = int(torch.dot(mixed, numbers[: len(part)]))
                total += found * (split_mix(2**40 + number) if number else 1)
        return ((total & MASK) | 1).to_bytes(8, "little")
