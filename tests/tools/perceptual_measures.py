#!/usr/bin/env python3
"""LPIPS, FID and FVD as the public packages compute them, with weights made by a rule from names and shapes.

  perceptual_measures.py golden FILE.safetensors      the numbers of tests/evaluation/networks_test.cpp
  perceptual_measures.py weights FOLDER               weight files, named and laid out as the published ones
  perceptual_measures.py compare PROGRAM [FOLDER]     `PROGRAM evaluate videos` beside the packages, with the weights of
                                                      FOLDER (published ones, too), else with those made by the rule

Needs torch 2, torchvision, lpips 0.1.4, pytorch-fid 0.3.0, cd-fvd 0.1.1 (for its I3D), scipy, Pillow and what these import.
"""

import json
import math
import os
import struct
import subprocess
import sys
import tempfile
import zlib

import lpips
import numpy as np
import pytorch_fid.fid_score
import pytorch_fid.inception
import torch
from cdfvd.third_party.i3d.pytorch_i3d import InceptionI3d
from PIL import Image

ALEXNET = "alexnet-owt-7be5be79.pth"
VGG16 = "vgg16-397923af.pth"
INCEPTION = "pt_inception-2015-12-05-6726825d.pth"
I3D = "i3d_pretrained_400.pt"
CLIP_FRAMES = 16
SIDE = 224


# ---- the rule, as in tests/support/rule.h and tests/evaluation/networks_test.cpp


def uniform(name, shape):
    generator = torch.Generator().manual_seed(zlib.crc32(name.encode()))
    return torch.rand(shape, generator=generator)


def rule_weight(key, shape):
    u = uniform(key, shape) * 2 - 1
    if key.endswith("bias") or key.endswith("running_mean"):
        return u * 0.1
    if len(shape) >= 2:
        # Of unit variance behind a ReLU, so that every layer is heard at the end.
        weight = u * math.sqrt(2) * math.sqrt(3 / (u.numel() / shape[0]))
        return weight.abs() if key.startswith("lin") else weight
    return u * 0.1 + 1


def rule_picture(name, height, width):
    return (uniform(name, (height, width, 3)) * 255.999).floor().to(torch.uint8).numpy()


def rule_features(name, shape):
    return (uniform(name, shape) * 2 * 1.7320508 - 1.7320508).double().numpy()


def by_rule(module, named=lambda name: name):
    """A state dict under published names."""
    return {
        named(name): rule_weight(named(name), tuple(tensor.shape))
        for name, tensor in module.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }


# ---- the packages' networks, filled with state dicts of published names


def published_trunk_name(name):
    """net.slice2.3.weight -> features.3.weight"""
    return "features." + name.split(".", 2)[2]


def bare_lpips(trunk):
    return lpips.LPIPS(net=trunk, pretrained=False, pnet_rand=True, verbose=False).eval()


def bare_inception():
    load = pytorch_fid.inception.load_state_dict_from_url
    fill = torch.nn.Module.load_state_dict
    pytorch_fid.inception.load_state_dict_from_url = lambda *_, **__: None
    torch.nn.Module.load_state_dict = lambda self, state: None
    try:
        return pytorch_fid.inception.fid_inception_v3()
    finally:
        pytorch_fid.inception.load_state_dict_from_url = load
        torch.nn.Module.load_state_dict = fill


def bare_i3d():
    """As DisCo has it: cd-fvd normalises with eps 1e-5, pytorch-i3d, DisCo and the original with 1e-3."""
    network = InceptionI3d(400, in_channels=3).eval()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm3d):
            module.eps = 1e-3
    return network


def rule_states():
    states = {}
    for trunk, name, head in (("alex", ALEXNET, "alex.pth"), ("vgg", VGG16, "vgg.pth")):
        network = bare_lpips(trunk)
        states[name] = by_rule(network.net, lambda key: published_trunk_name("net." + key))
        states[head] = {
            key: rule_weight(key, tuple(tensor.shape))
            for key, tensor in network.state_dict().items()
            if key.startswith("lin") and not key.startswith("lins")
        }
    states[INCEPTION] = by_rule(bare_inception())
    states[I3D] = by_rule(bare_i3d())
    return states


def read_states(folder):
    return {
        name: torch.load(os.path.join(folder, name), map_location="cpu", weights_only=True)
        for name in (ALEXNET, "alex.pth", VGG16, "vgg.pth", INCEPTION, I3D)
    }


class Networks:
    def __init__(self, states):
        self.lpips = {}
        for trunk, name, head in (("alex", ALEXNET, "alex.pth"), ("vgg", VGG16, "vgg.pth")):
            network = bare_lpips(trunk)
            state = network.state_dict()
            for key in state:
                if key.startswith("net."):
                    state[key] = states[name][published_trunk_name(key)]
                elif key.startswith("lins."):
                    state[key] = states[head]["lin" + key[len("lins.") :]]
                elif key.startswith("lin"):
                    state[key] = states[head][key]
            network.load_state_dict(state)
            self.lpips[trunk] = network
        inception = bare_inception()
        inception.load_state_dict(states[INCEPTION], strict=False)
        made = pytorch_fid.inception.fid_inception_v3
        pytorch_fid.inception.fid_inception_v3 = lambda: inception
        self.inception = pytorch_fid.inception.InceptionV3().eval()
        pytorch_fid.inception.fid_inception_v3 = made
        self.i3d = bare_i3d()
        self.i3d.load_state_dict(states[I3D], strict=False)

    @torch.no_grad()
    def distance(self, trunk, a, b):
        planes = [torch.from_numpy(x).permute(2, 0, 1)[None].float() / 255 for x in (a, b)]
        return self.lpips[trunk](*planes, normalize=True).item()

    @torch.no_grad()
    def fid_features(self, picture):
        planes = torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 255
        return self.inception(planes)[0].flatten().numpy()

    @torch.no_grad()
    def logits(self, frames):
        clip = torch.from_numpy(np.stack([fvd_frame(frame) for frame in frames], 1))[None]
        return self.i3d(clip)[0].numpy()


def fvd_frame(picture):
    """As tool/metrics of DisCo: Pillow's bicubic scaling of each channel in floating point."""
    channels = [
        np.asarray(Image.fromarray(picture[:, :, c].astype(np.float32), mode="F").resize((SIDE, SIDE), Image.BICUBIC))
        for c in range(3)
    ]
    return np.stack(channels) / np.float32(127.5) - 1


def frechet(a, b):
    return pytorch_fid.fid_score.calculate_frechet_distance(
        a.mean(0), np.cov(a, rowvar=False), b.mean(0), np.cov(b, rowvar=False)
    )


# ---- what the script does


def write_safetensors(path, tensors):
    header, data = {}, b""
    for name, value in tensors.items():
        array = np.ascontiguousarray(value, dtype=np.float64)
        header[name] = {"dtype": "F64", "shape": list(array.shape), "data_offsets": [len(data), len(data) + array.nbytes]}
        data += array.tobytes()
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


def golden(path):
    networks = Networks(rule_states())
    a, b = rule_picture("made", 75, 101), rule_picture("truth", 75, 101)
    frames = [rule_picture(f"frame{i}", 60, 44) for i in range(CLIP_FRAMES)]
    numbers = {
        "lpips_alex": [networks.distance("alex", a, b), networks.distance("alex", a, (a // 2 + b // 2))],
        "lpips_vgg": [networks.distance("vgg", a, b), networks.distance("vgg", a, (a // 2 + b // 2))],
        "fid_features": networks.fid_features(a),
        "fvd_frame": fvd_frame(a)[:, ::17, ::17],
        "i3d_logits": networks.logits(frames),
        "frechet_full": frechet(rule_features("x", (60, 12)), 1.5 * rule_features("y", (45, 12)) + 0.3),
        "frechet_low": frechet(rule_features("x", (9, 40)), 1.5 * rule_features("y", (7, 40)) + 0.3),
    }
    write_safetensors(path, numbers)
    for name, value in numbers.items():
        print(name, np.shape(value), np.ravel(value)[:3])
    other = networks.fid_features(b)
    print("pictures apart in pool3:", np.linalg.norm(other - numbers["fid_features"]) / np.linalg.norm(other))
    other = networks.logits(frames[::-1])
    print("clips apart in logits:", np.linalg.norm(other - numbers["i3d_logits"]) / np.linalg.norm(other))


def write_weights(folder):
    os.makedirs(folder, exist_ok=True)
    for name, state in rule_states().items():
        torch.save(state, os.path.join(folder, name))


def compare(program, folder):
    with tempfile.TemporaryDirectory() as scratch:
        if folder is None:
            folder = os.path.join(scratch, "weights")
            write_weights(folder)
        networks = Networks(read_states(folder))
        results, truth = [], []
        for side, videos in (("results", results), ("truth", truth)):
            for name in ("one", "two", "three"):
                place = os.path.join(scratch, side, name)
                os.makedirs(place)
                # Whatever noise is mixed with must differ from video to video, as videos do.
                base = rule_picture(name, 96, 64) // 2
                frames = [base + rule_picture(f"{side}{name}{i}", 96, 64) // 2 for i in range(CLIP_FRAMES + 2)]
                videos.append(frames)
                for i, frame in enumerate(frames):
                    Image.fromarray(frame).save(os.path.join(place, f"{i:04}.png"))
        command = [program, "evaluate", "videos", os.path.join(scratch, "results"), os.path.join(scratch, "truth")]
        found = json.loads(subprocess.run(command + ["--metric-weights", folder, "--json"], check=True,
                                          capture_output=True, text=True).stdout)
        features = [np.stack([networks.fid_features(f) for v in side for f in v]).astype(np.float64)
                    for side in (results, truth)]
        logits = [np.stack([networks.logits(v[:CLIP_FRAMES]) for v in side]).astype(np.float64)
                  for side in (results, truth)]
        pairs = [(a, b) for made, true in zip(results, truth) for a, b in zip(made, true)]
        expected = {
            "lpips_alex": np.mean([networks.distance("alex", a, b) for a, b in pairs]),
            "lpips_vgg": np.mean([networks.distance("vgg", a, b) for a, b in pairs]),
            "fid": frechet(*features),
            "fvd": frechet(*logits),
        }
    worst = 0
    for name, value in expected.items():
        distance = abs(found[name] - value) / abs(value)
        worst = max(worst, distance / (1e-3 if name in ("fid", "fvd") else 1e-5))
        print(f"{name:<12}{found[name]:>16.8g}{value:>16.8g}   relative {distance:.1e}")
    return 0 if worst <= 1 else 1


if __name__ == "__main__":
    words = sys.argv[1:]
    if len(words) == 2 and words[0] == "golden":
        golden(words[1])
    elif len(words) == 2 and words[0] == "weights":
        write_weights(words[1])
    elif len(words) in (2, 3) and words[0] == "compare":
        sys.exit(compare(words[1], words[2] if len(words) == 3 else None))
    else:
        sys.exit(__doc__)
