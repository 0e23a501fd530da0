"""The UNet and the decoder of the published model in plain PyTorch: how fast the same work is without this program.

Written from the model's description. Run by scripts/gpu_check.sh and scripts/measure_performance.sh; nothing else needs
Python.
"""
import argparse
import json
import math
import os
import statistics
import struct
import subprocess
import sys
import time
import warnings
import zlib
from pathlib import Path

warnings.filterwarnings("ignore", message="Failed to initialize NumPy")  # which nothing here needs
import torch
import torch.nn.functional as F
from torch import nn

PUBLISHED_PARAMETERS = 1_416_564_300
DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


class Attention(nn.Module):
    def __init__(self, width, context_width, head_dim):
        super().__init__()
        self.heads = width // head_dim
        self.to_q = nn.Linear(width, width, bias=False)
        self.to_k = nn.Linear(context_width, width, bias=False)
        self.to_v = nn.Linear(context_width, width, bias=False)
        self.to_out = nn.ModuleList([nn.Linear(width, width)])

    def forward(self, x, context=None):
        context = x if context is None else context
        q, k, v = (t.unflatten(-1, (self.heads, -1)).transpose(1, 2)
                   for t in (self.to_q(x), self.to_k(context), self.to_v(context)))
        return self.to_out[0](F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))


class GatedGelu(nn.Module):
    def __init__(self, width, inner):
        super().__init__()
        self.proj = nn.Linear(width, 2 * inner)

    def forward(self, x):
        value, gate = self.proj(x).chunk(2, dim=-1)
        return value * F.gelu(gate)


class FeedForward(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.net = nn.Sequential(GatedGelu(width, 4 * width), nn.Identity(), nn.Linear(4 * width, width))

    def forward(self, x):
        return self.net(x)


class TransformerBlock(nn.Module):
    def __init__(self, width, context_width, head_dim):
        super().__init__()
        self.attn1 = Attention(width, width, head_dim)
        self.attn2 = Attention(width, context_width or width, head_dim)
        self.ff = FeedForward(width)
        self.norm1, self.norm2, self.norm3 = nn.LayerNorm(width), nn.LayerNorm(width), nn.LayerNorm(width)

    def forward(self, x, context=None):
        x = x + self.attn1(self.norm1(x))
        x = x + self.attn2(self.norm2(x), context)
        return x + self.ff(self.norm3(x))


class SpatialTransformer(nn.Module):
    def __init__(self, width, context_width, head_dim):
        super().__init__()
        self.norm = nn.GroupNorm(32, width, eps=1e-6)
        self.proj_in = nn.Linear(width, width)
        self.transformer_blocks = nn.ModuleList([TransformerBlock(width, context_width, head_dim)])
        self.proj_out = nn.Linear(width, width)

    def forward(self, x, emb, context, frames):
        y = self.proj_in(self.norm(x).flatten(2).transpose(1, 2))
        y = self.proj_out(self.transformer_blocks[0](y, context))
        return x + y.transpose(1, 2).unflatten(2, x.shape[2:])


class TemporalTransformer(nn.Module):
    def __init__(self, width, inner, head_dim):
        super().__init__()
        self.norm = nn.GroupNorm(32, width, eps=1e-6)
        self.proj_in = nn.Conv1d(width, inner, 1)
        self.transformer_blocks = nn.ModuleList([TransformerBlock(inner, None, head_dim)])
        self.proj_out = nn.Conv1d(inner, width, 1)

    def forward(self, x, emb, context, frames):
        clip = x.unflatten(0, (-1, frames))
        b, f, c, h, w = clip.shape
        y = self.norm(clip.transpose(1, 2)).permute(0, 3, 4, 1, 2).reshape(b * h * w, c, f)
        y = self.transformer_blocks[0](self.proj_in(y).transpose(1, 2))
        y = self.proj_out(y.transpose(1, 2)).reshape(b, h, w, c, f)
        return x + y.permute(0, 4, 3, 1, 2).flatten(0, 1)


class TemporalConvolution(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.conv1 = nn.Sequential(nn.GroupNorm(32, width), nn.SiLU(), self.conv(width))
        self.conv2, self.conv3, self.conv4 = (
            nn.Sequential(nn.GroupNorm(32, width), nn.SiLU(), nn.Identity(), self.conv(width)) for _ in range(3))

    @staticmethod
    def conv(width):
        return nn.Conv3d(width, width, (3, 1, 1), padding=(1, 0, 0))

    def forward(self, x):
        return x + self.conv4(self.conv3(self.conv2(self.conv1(x))))


class ResBlock(nn.Module):
    def __init__(self, width_in, width_out, time_width):
        super().__init__()
        self.in_layers = nn.Sequential(nn.GroupNorm(32, width_in), nn.SiLU(),
                                       nn.Conv2d(width_in, width_out, 3, padding=1))
        self.emb_layers = nn.Sequential(nn.SiLU(), nn.Linear(time_width, width_out))
        self.out_layers = nn.Sequential(nn.GroupNorm(32, width_out), nn.SiLU(), nn.Identity(),
                                        nn.Conv2d(width_out, width_out, 3, padding=1))
        self.skip_connection = nn.Identity() if width_in == width_out else nn.Conv2d(width_in, width_out, 1)
        self.temopral_conv = TemporalConvolution(width_out)

    def forward(self, x, emb, context, frames):
        y = self.in_layers(x) + self.emb_layers(emb)[:, :, None, None]
        y = self.skip_connection(x) + self.out_layers(y)
        clip = y.unflatten(0, (-1, frames)).transpose(1, 2)
        return self.temopral_conv(clip).transpose(1, 2).flatten(0, 1)


class Downsample(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.op = nn.Conv2d(width, width, 3, stride=2, padding=1)

    def forward(self, x, emb, context, frames):
        return self.op(x)


class Upsample(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x, emb=None, context=None, frames=None):
        return self.conv(F.interpolate(x, scale_factor=2, mode="nearest"))


class StemAttention(nn.Module):
    """Before its norm, with as many channels in each of two heads as the stem has."""

    def __init__(self, width):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.fn = nn.Module()
        self.fn.to_qkv = nn.Linear(width, 3 * 2 * width, bias=False)
        self.fn.to_out = nn.ModuleList([nn.Linear(2 * width, width)])

    def forward(self, x):
        q, k, v = (t.unflatten(-1, (2, -1)).transpose(1, 2) for t in self.fn.to_qkv(self.norm(x)).chunk(3, dim=-1))
        return self.fn.to_out[0](F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))


class StemFeedForward(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.net = nn.Sequential(nn.Sequential(nn.Linear(width, 4 * width), nn.GELU()), nn.Identity(),
                                 nn.Linear(4 * width, width))

    def forward(self, x):
        return self.net(x)


class StemTransformer(nn.Module):
    """Along the frames at every pixel: (b, f, c, h, w)."""

    def __init__(self, width):
        super().__init__()
        self.layers = nn.ModuleList([nn.ModuleList([StemAttention(width), StemFeedForward(width)])])

    def forward(self, x):
        b, f, c, h, w = x.shape
        y = x.permute(0, 3, 4, 1, 2).reshape(b * h * w, f, c)
        y = y + self.layers[0][0](y)
        y = y + self.layers[0][1](y)
        return y.reshape(b, h, w, f, c).permute(0, 3, 4, 1, 2)


class HalfSize(nn.Module):
    def forward(self, x):
        return F.adaptive_avg_pool2d(x, (x.shape[-2] // 2, x.shape[-1] // 2))


def picture_stem(out):
    return nn.Sequential(nn.Conv2d(3, 32, 3, padding=1), nn.SiLU(), HalfSize(),
                         nn.Conv2d(32, 32, 3, stride=2, padding=1), nn.SiLU(),
                         nn.Conv2d(32, out, 3, stride=2, padding=1))


def per_frame(stem, x):
    return stem(x.flatten(0, 1)).unflatten(0, x.shape[:2])


class UNet(nn.Module):
    def __init__(self, dim=320, head_dim=64, context_dim=1024, concat_dim=8, tokens=4, heads=8):
        super().__init__()
        self.dim, self.tokens, self.context_dim = dim, tokens, context_dim
        channels, time_width, mult = 4 + concat_dim, 4 * dim, (1, 2, 4, 4)
        self.local_image_embedding, self.local_image_embedding_after = picture_stem(concat_dim), StemTransformer(concat_dim)
        self.dwpose_embedding, self.dwpose_embedding_after = picture_stem(concat_dim), StemTransformer(concat_dim)
        self.randomref_pose2_embedding = picture_stem(channels)
        self.randomref_pose2_embedding_after = StemTransformer(channels)
        self.randomref_embedding2 = nn.Sequential(nn.Conv2d(4, 32, 3, padding=1), nn.SiLU(),
                                                  nn.Conv2d(32, 32, 3, padding=1), nn.SiLU(),
                                                  nn.Conv2d(32, channels, 3, padding=1))
        self.randomref_embedding_after2 = StemTransformer(channels)
        self.time_embed = nn.Sequential(nn.Linear(dim, time_width), nn.SiLU(), nn.Linear(time_width, time_width))
        self.pre_image_condition = nn.Sequential(nn.Linear(context_dim, context_dim), nn.SiLU(),
                                                 nn.Linear(context_dim, context_dim * tokens))

        def level_block(width_in, width_out, attention):
            parts = [ResBlock(width_in, width_out, time_width)]
            if attention:
                parts += [SpatialTransformer(width_out, context_dim, head_dim),
                          TemporalTransformer(width_out, width_out, head_dim)]
            return nn.ModuleList(parts)

        width = dim
        self.input_blocks = nn.ModuleList([nn.ModuleList([nn.Conv2d(channels, dim, 3, padding=1),
                                                          TemporalTransformer(dim, heads * head_dim, head_dim)])])
        skips = [dim]
        for level, factor in enumerate(mult):
            deepest = level + 1 == len(mult)
            for _ in range(2):
                self.input_blocks.append(level_block(width, dim * factor, not deepest))
                width = dim * factor
                skips.append(width)
            if not deepest:
                self.input_blocks.append(Downsample(width))
                skips.append(width)
        self.middle_block = nn.ModuleList([ResBlock(width, width, time_width),
                                           SpatialTransformer(width, context_dim, head_dim),
                                           TemporalTransformer(width, width, head_dim),
                                           ResBlock(width, width, time_width)])
        self.output_blocks = nn.ModuleList()
        for level, factor in reversed(list(enumerate(mult))):
            for block in range(3):
                parts = level_block(width + skips.pop(), dim * factor, level + 1 < len(mult))
                width = dim * factor
                if block == 2 and level > 0:
                    parts.append(Upsample(width))
                self.output_blocks.append(parts)
        self.out = nn.Sequential(nn.GroupNorm(32, dim), nn.SiLU(), nn.Conv2d(dim, 4, 3, padding=1))

    def encode(self, image, dwpose, randomref, empty_prompt):
        """What does not depend on the timestep: frames beside the latent, the reference's frame, the context."""
        concat = self.dwpose_embedding_after(per_frame(self.dwpose_embedding, dwpose[:, :, 1:].transpose(1, 2)))
        pose = self.randomref_pose2_embedding_after(
            per_frame(self.randomref_pose2_embedding, dwpose[:, :, :1].transpose(1, 2)))
        reference = self.randomref_embedding_after2(
            per_frame(self.randomref_embedding2, randomref[:, :, :1].transpose(1, 2))) + pose
        tokens = self.pre_image_condition(image).reshape(image.shape[0], self.tokens, self.context_dim)
        return concat, reference, torch.cat([empty_prompt.expand(image.shape[0], -1, -1), tokens], dim=1)

    def forward(self, x, t, encoded):
        concat, reference, context = encoded
        x = torch.cat([reference, torch.cat([x.transpose(1, 2), concat], dim=2)], dim=1)
        frames = x.shape[1]
        half = self.dim // 2
        angles = t.float()[:, None] * torch.pow(10000, -torch.arange(half, device=t.device).float() / half)
        emb = self.time_embed(torch.cat([angles.cos(), angles.sin()], dim=1).to(x.dtype))
        emb, context = emb.repeat_interleave(frames, 0), context.repeat_interleave(frames, 0)
        x = x.flatten(0, 1)
        skips = []
        for block in self.input_blocks:
            for part in block if isinstance(block, nn.ModuleList) else [block]:
                x = part(x) if isinstance(part, nn.Conv2d) else part(x, emb, context, frames)
            skips.append(x)
        for part in self.middle_block:
            x = part(x, emb, context, frames)
        for block in self.output_blocks:
            x = torch.cat([x, skips.pop()], dim=1)
            for part in block:
                x = part(x, emb, context, frames)
        return self.out(x).unflatten(0, (-1, frames))[:, 1:].transpose(1, 2)



class DecoderResBlock(nn.Module):
    def __init__(self, width_in, width_out):
        super().__init__()
        self.norm1, self.conv1 = nn.GroupNorm(32, width_in, eps=1e-6), nn.Conv2d(width_in, width_out, 3, padding=1)
        self.norm2, self.conv2 = nn.GroupNorm(32, width_out, eps=1e-6), nn.Conv2d(width_out, width_out, 3, padding=1)
        if width_in != width_out:
            self.nin_shortcut = nn.Conv2d(width_in, width_out, 1)

    def forward(self, x):
        y = self.conv2(F.silu(self.norm2(self.conv1(F.silu(self.norm1(x))))))
        return y + (self.nin_shortcut(x) if hasattr(self, "nin_shortcut") else x)


class DecoderAttention(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm = nn.GroupNorm(32, width, eps=1e-6)
        self.q, self.k, self.v, self.proj_out = (nn.Conv2d(width, width, 1) for _ in range(4))

    def forward(self, x):
        y = self.norm(x)
        q, k, v = (conv(y).flatten(2).transpose(1, 2)[:, None] for conv in (self.q, self.k, self.v))
        y = F.scaled_dot_product_attention(q, k, v)[:, 0].transpose(1, 2).unflatten(2, x.shape[2:])
        return x + self.proj_out(y)


class Decoder(nn.Module):
    """The autoencoder's second half, with post_quant_conv."""

    def __init__(self, ch=128):
        super().__init__()
        mult = (1, 2, 4, 4)
        width = ch * mult[-1]
        self.post_quant_conv = nn.Conv2d(4, 4, 1)
        self.decoder = nn.Module()
        self.decoder.conv_in = nn.Conv2d(4, width, 3, padding=1)
        self.decoder.mid = nn.Module()
        self.decoder.mid.block_1, self.decoder.mid.attn_1 = DecoderResBlock(width, width), DecoderAttention(width)
        self.decoder.mid.block_2 = DecoderResBlock(width, width)
        levels = []
        for level in reversed(range(len(mult))):
            up = nn.Module()
            up.block = nn.ModuleList()
            for _ in range(3):
                up.block.append(DecoderResBlock(width, ch * mult[level]))
                width = ch * mult[level]
            if level > 0:
                up.upsample = Upsample(width)
            levels.insert(0, up)
        self.decoder.up = nn.ModuleList(levels)
        self.decoder.norm_out, self.decoder.conv_out = nn.GroupNorm(32, width, eps=1e-6), nn.Conv2d(width, 3, 3, padding=1)

    def forward(self, latent):
        parts = self.decoder
        x = parts.conv_in(self.post_quant_conv(latent / 0.18215))
        x = parts.mid.block_2(parts.mid.attn_1(parts.mid.block_1(x)))
        for level in reversed(range(len(parts.up))):
            for block in parts.up[level].block:
                x = block(x)
            if level > 0:
                x = parts.up[level].upsample(x)
        return parts.conv_out(F.silu(parts.norm_out(x)))


# ---- against the golden numbers ----


def by_rule(name, shape):
    generator = torch.Generator().manual_seed(zlib.crc32(name.encode()))
    return torch.rand(shape, generator=generator)


def rule_input(name, shape, low=-1.7320508, high=1.7320508):
    return by_rule(name, shape) * (high - low) + low


@torch.no_grad()
def fill_by_rule(module):
    for name, parameter in module.named_parameters():
        u = 2 * by_rule(name, parameter.shape) - 1
        if name.endswith("bias"):
            u = 0.1 * u
        elif u.dim() >= 2:
            u = u * math.sqrt(3 * u.shape[0] / u.numel())
        elif name.endswith("weight"):
            u = 1 + 0.1 * u
        parameter.copy_(u)


def read_safetensors(path):
    data = path.read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + length])
    tensors = {}
    for name, entry in header.items():
        if entry.get("dtype") == "F32":
            begin, end = (8 + length + offset for offset in entry["data_offsets"])
            tensors[name] = torch.frombuffer(bytearray(data[begin:end]), dtype=torch.float32).reshape(entry["shape"])
    return tensors


def require_close(what, found, expected):
    error = ((found.double() - expected.double()).norm() / expected.double().norm()).item()
    if not error < 1e-5:
        sys.exit(f"pytorch_baseline.py: {what} is {error:.1e} away from its golden numbers, and 1e-5 is allowed")
    return {"what": "golden", "name": what, "distance": error}


@torch.inference_mode()
def check_against_golden(folder):
    unet = UNet(dim=32, head_dim=16)
    fill_by_rule(unet)
    golden = read_safetensors(folder / "unet_tiny.safetensors")
    encoded = unet.encode(rule_input("image", (1, 1, 1024)), rule_input("dwpose", (1, 3, 6, 192, 128), 0, 1),
                          rule_input("randomref", (1, 4, 1, 24, 16)), rule_input("zero_y", (1, 77, 1024)))
    x = rule_input("x", (1, 4, 5, 24, 16))
    rows = [require_close(name, unet(x, torch.tensor([int(name.rsplit(".", 1)[1])]), encoded), tensor)
            for name, tensor in golden.items() if name.startswith("out.ref.")]
    decoder = Decoder(ch=32)
    fill_by_rule(decoder)
    golden = read_safetensors(folder / "vae_tiny.safetensors")
    return rows + [require_close("decoded", decoder(golden["latent_seed11"]), golden["decoded"])]


# ---- how fast ----


def best_seconds(device, work):
    best, total, runs = math.inf, 0.0, -1
    while runs < 2 or total < 0.5:
        begun = time.perf_counter()
        work()
        if device == "cuda":
            torch.cuda.synchronize()
        seconds = time.perf_counter() - begun
        runs += 1
        if runs > 0:
            best, total = min(best, seconds), total + seconds
    return best


def timed(row, device, work):
    if device == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    row["seconds"] = best_seconds(device, work)
    if device == "cuda":
        row["peak_bytes"] = torch.cuda.max_memory_reserved()
    return row


@torch.inference_mode()
def measure(device, tiny, dtype_name):
    dtype = DTYPES[dtype_name]
    torch.set_default_dtype(dtype)
    with torch.device(device):
        unet = UNet(dim=32, head_dim=16, context_dim=64) if tiny else UNet()
        decoder = Decoder(ch=32) if tiny else Decoder()
        parameters = sum(p.numel() for p in unet.parameters())
        if not tiny and parameters != PUBLISHED_PARAMETERS:
            sys.exit(f"pytorch_baseline.py: the UNet has {parameters} parameters, and {PUBLISHED_PARAMETERS} were published")
        rows = []
        for width, height, frames in [(64, 64, 3)] if tiny else [(512, 768, 32), (768, 1216, 32)]:
            h, w, size = height // 8, width // 8, f"{width}x{height}"
            for batch in (1, 2):
                encoded = unet.encode(torch.randn(batch, 1, unet.context_dim),
                                      torch.rand(batch, 3, 1 + frames, height, width),
                                      torch.randn(batch, 4, 1, h, w), torch.randn(1, 77, unet.context_dim))
                x, t = torch.randn(batch, 4, frames, h, w), torch.full((batch,), 500, dtype=torch.long)
                rows.append(timed({"what": "unet", "size": size, "frames": frames, "dtype": dtype_name, "batch": batch},
                                  device, lambda: unet(x, t, encoded)))
            for count in (1, 8):
                latent = torch.randn(count, 4, h, w)
                rows.append(timed({"what": "decoder", "size": size, "frames": count, "dtype": dtype_name}, device,
                                  lambda: decoder(latent)))
    torch.set_default_dtype(torch.float32)
    return rows


# ---- in turns with this program's models ----


@torch.no_grad()
def made_of_noise(model):
    for name, parameter in model.named_parameters():
        if name.endswith("bias"):
            parameter.normal_(0, 0.02)
        elif parameter.dim() >= 2:
            parameter.normal_(0, math.sqrt(parameter.shape[0] / parameter.numel()))
        else:
            parameter.fill_(1)
    return model.eval()


def seconds_of(work):
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


class Ours:
    """model_benchmark with the libtorch of this PyTorch, which runs its models whenever it is asked to."""

    def __init__(self, program, dtype, width, height, frames):
        site = Path(torch.__file__).parent.parent
        libraries = [site / "torch/lib", site / "nvidia/cu13/lib"]
        environment = {**os.environ, "LD_LIBRARY_PATH": ":".join(map(str, libraries)), "GOMP_SPINCOUNT": "2000"}
        command = [program, "--on-request", "--dtype", dtype, "--size", f"{width}x{height}", "--frames", str(frames)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        env=environment)

    def __call__(self):
        self.process.stdin.write("run\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            sys.exit(f"pytorch_baseline.py: {self.process.args[0]} gave no answer (exit status {self.process.wait()})")
        return json.loads(answer)

    def end(self):
        self.process.stdin.close()
        self.process.wait()


@torch.inference_mode()
def compare(options):
    """Seconds of both in each round, after one that warms up; both on as many threads as there are cores."""
    width, height = (int(side) for side in options.size.split("x"))
    h, w, frames = height // 8, width // 8, options.frames
    for kind in (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d):
        kind.reset_parameters = lambda layer: None  # all is filled in once, afterwards
    rows = []
    for dtype_name in options.dtype:
        dtype = DTYPES[dtype_name]
        ours = Ours(options.against, dtype_name, width, height, frames)
        torch.set_default_dtype(dtype)
        unet, decoder = made_of_noise(UNet()), made_of_noise(Decoder())
        torch.set_default_dtype(torch.float32)
        encoded = unet.encode(torch.randn(1, 1, unet.context_dim).to(dtype),
                              torch.rand(1, 3, 1 + frames, height, width).to(dtype),
                              torch.randn(1, 4, 1, h, w).to(dtype), torch.randn(1, 77, unet.context_dim).to(dtype))
        x, t = torch.randn(1, 4, frames, h, w).to(dtype), torch.full((1,), 500, dtype=torch.long)
        latent = torch.randn(1, 4, h, w).to(dtype)
        works = {"unet": lambda: unet(x, t, encoded), "decoder": lambda: decoder(latent)}
        seconds = {what: {"ours": [], "pytorch": []} for what in works}
        for round_number in range(options.rounds + 1):
            answer = ours()
            for what, work in works.items():
                theirs = seconds_of(work)
                if round_number > 0:
                    seconds[what]["ours"].append(answer[what])
                    seconds[what]["pytorch"].append(theirs)
        ours.end()
        for what, of_both in seconds.items():
            rows.append({"what": what, "size": options.size, "frames": frames if what == "unet" else 1,
                         "dtype": dtype_name, **of_both})
    return rows


def ratio_text(row):
    ratios = [theirs / ours for ours, theirs in zip(row["ours"], row["pytorch"])]
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"


def table(rows):
    lines = ["| what | dtype | this program, seconds | plain PyTorch, seconds | times as fast, median (and range) of "
             "rounds | of the minima |", "| --- | --- | --- | --- | --- | --- |"]
    for row in rows:
        what = (f"one UNet call, {row['frames']} frames and the reference, {row['size']}" if row["what"] == "unet" else
                f"decoding one frame of {row['size']}")
        both = (f"{min(row[side]):.2f} to {max(row[side]):.2f}" for side in ("ours", "pytorch"))
        minima = min(row["pytorch"]) / min(row["ours"])
        lines.append(f"| {what} | {row['dtype']} | {' | '.join(both)} | {ratio_text(row)} | {minima:.2f} |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cuda")
    parser.add_argument("--tiny", action="store_true", help="small models and pictures, to try it out on a CPU")
    parser.add_argument("--golden", type=Path, help="folder of golden numbers to compare with first")
    parser.add_argument("--against", metavar="MODEL_BENCHMARK",
                        help="this program's model_benchmark, to be timed in turns on the CPU; prints a table")
    parser.add_argument("--rounds", type=int, default=5, help="of --against")
    parser.add_argument("--size", default="256x384", help="of --against")
    parser.add_argument("--frames", type=int, default=7, help="of --against")
    parser.add_argument("--dtype", nargs="+", choices=["bf16", "fp32"], default=["bf16", "fp32"], help="of --against")
    parser.add_argument("--output", type=Path, required=True, help="JSON file for what was measured")
    options = parser.parse_args()
    if options.against:
        rows = compare(options)
        options.output.write_text(json.dumps(rows, indent=2) + "\n")
        print(table(rows))
        return
    rows = check_against_golden(options.golden) if options.golden else []
    for dtype_name in ("bf16", "fp16") if options.device == "cuda" else ("fp32", "bf16"):
        rows += measure(options.device, options.tiny, dtype_name)
        options.output.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
