"""Verify a digit classifier, then train it: python train_digits.py mlp|convnet [plot.png | survey]."""

import sys
from itertools import islice

import numpy as np
from classifiers import CONVNET, MLP, gradient_error
from matplotlib.figure import Figure
from sklearn.datasets import load_digits
from tqdm import tqdm

import gradcheck
from gradcheck.modules.training import SGD, Scaling, Trainer, initial_parameters

CLASSIFIERS = {"mlp": MLP, "convnet": CONVNET}
# Learning rate and number of epochs, one after the other; chosen on a fifth of the training part.
LEGS = {"mlp": ((0.1, 24), (0.01, 6)), "convnet": ((0.05, 12), (0.005, 4))}
DECAY = {"mlp": 1e-4, "convnet": 1e-3}
EVERY = 4  # epochs between two gradient checks


def load(seed=0):
    """Pictures (N, 8, 8) and digits; the last fifth of a fixed shuffle is held out."""
    pixels, digits = load_digits(return_X_y=True)
    order = np.random.default_rng(seed).permutation(len(pixels))
    pixels, digits = pixels[order].reshape(-1, 8, 8) / 16, digits[order]
    split = len(pixels) * 4 // 5
    return (pixels[:split], digits[:split]), (pixels[split:], digits[split:])


def shifted(pictures):
    """The pictures, and again by one pixel to every side: digits are not always in the middle."""
    padded = np.pad(pictures, ((0, 0), (1, 1), (1, 1)))
    corners = ((1, 1), (0, 1), (2, 1), (1, 0), (1, 2))
    return np.concatenate([padded[:, i : i + 8, j : j + 8] for i, j in corners])


def verify(classifier, pictures, digits, seed=0):
    """Verify a narrow version in every entry, at three real digits; the narrow one has all the code that there is."""
    sizes = {**classifier.sizes, **classifier.narrow}
    generator = np.random.default_rng(seed)
    # Not quite the initial parameters: biases that are all 0 cannot tell a right gradient from some wrong ones.
    initial = initial_parameters(classifier.training, sizes, seed)
    parameters = {name: value + generator.normal(0.0, 0.1, value.shape) for name, value in initial.items()}
    samples = {"x": pictures[:3].reshape(-1, *classifier.shape), "loss.y": np.eye(10)[digits[:3]]}
    gradcheck.check(classifier.training, {**samples, **parameters}, threshold=1e-6, seed=seed).raise_for_failure()


def train(name, training, seed=0, show=True):
    """Train a classifier; returns its parameters, the scaling of its inputs, and losses and gradient errors."""
    classifier, (pictures, digits) = CLASSIFIERS[name], training
    verify(classifier, pictures, digits, seed)
    scaling = Scaling.of(pictures.ravel())  # one shift and scale for all pixels
    x = scaling.applied(shifted(pictures)).reshape(-1, *classifier.shape)
    data = {"x": x, "loss.y": np.eye(10)[np.tile(digits, 5)]}
    parameters = initial_parameters(classifier.training, classifier.sizes, seed)
    losses, errors = [], [(0, gradient_error(classifier, parameters, x[:2]))]
    progress = tqdm(total=sum(epochs for _, epochs in LEGS[name]), desc=name, disable=not show)
    for rate, epochs in LEGS[name]:
        trainer = Trainer(classifier.training, SGD(rate, decay=DECAY[name]), batch=64, seed=seed)
        for epoch in islice(trainer.epochs(parameters, data), epochs):
            parameters = epoch.parameters
            losses.append(epoch.loss)
            if len(losses) % EVERY == 0:
                errors.append((len(losses), gradient_error(classifier, parameters, x[:2])))
            progress.update()
            progress.set_postfix(loss=f"{epoch.loss:.4f}")
    progress.close()
    return parameters, scaling, losses, errors


def accuracy(name, parameters, scaling, pictures, digits):
    """The share of digits that are recognised."""
    classifier = CLASSIFIERS[name]
    scores, _ = classifier.network.forward(x=scaling.applied(pictures).reshape(-1, *classifier.shape), **parameters)
    return (scores.argmax(axis=1) == digits).mean()


def plot(path, losses, errors):
    """Loss and gradient-check error over the epochs."""
    figure = Figure(figsize=(8, 3), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.semilogy(range(1, len(losses) + 1), losses)
    left.set(xlabel="epoch", ylabel="loss")
    # What the numerical error explains is 0, which a logarithmic axis cannot show.
    right.semilogy(*zip(*[(epoch, max(error, 1e-16)) for epoch, error in errors], strict=True), "o-")
    right.axhline(1e-6, color="grey", linestyle="--")
    right.set(xlabel="epoch", ylabel="gradient-check error")
    figure.savefig(path)


def report(name, split=0, seed=0):
    """Verify, train and print the accuracy; returns losses and gradient errors."""
    training, held_out = load(split)
    parameters, scaling, losses, errors = train(name, training, seed)
    print(f"split {split}, seed {seed}: held-out accuracy {accuracy(name, parameters, scaling, *held_out):.1%}")
    return losses, errors


if __name__ == "__main__":
    name, path = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else f"{sys.argv[1]}.png"
    if path == "survey":
        for seed in range(5):
            report(name, 0, seed)
            report(name, seed + 1, seed)
    else:
        plot(path, *report(name))
