"""Verify an RBF network, then fit it to the diabetes data: python rbf_regression.py [plot.png | survey].

y_n = plane(x_n) + Σ_j u_j exp(-β_j ‖x_n - w_j‖²): the units have only to explain what a plane leaves over.
"""

import sys
from itertools import islice

import numpy as np
from matplotlib.figure import Figure
from sklearn.cluster import KMeans
from sklearn.datasets import load_diabetes
from sklearn.linear_model import LinearRegression
from tqdm import tqdm

import gradcheck
from gradcheck.modules import Add, EuclideanLoss, Exp, Graph, Linear, Node, RadialBasisNetwork, Reshape
from gradcheck.modules.training import SGD, Scaling, Trainer

# Chosen on a fifth of the training part.
UNITS, EPOCHS, RATE, DECAY = 40, 60, 0.003, 0.03
WIDE = 0.05  # β times the mean squared distance to the centre: wide units overlap, and leave a smooth function
EVERY = 15  # epochs between two gradient checks

NODES = {
    "beta": Node(Exp(), {"x": "log_beta"}),  # what is trained may be any number, what decays must decay
    "rbf": Node(RadialBasisNetwork(), {"x": "x", "beta": "beta"}),
    "column": Node(Reshape((1,)), {"x": "rbf"}),
    "plane": Node(Linear(), {"x": "x"}),
    "plus": Node(Add(), {"x": "column", "y": "plane"}),
}
PREDICTION = Graph(NODES, heads={"prediction": "plus"}, trainable=["log_beta"])
FIT = Node(EuclideanLoss("mean"), {"x": "plus", "y": "y"})
LOSS = Graph(
    {**NODES, "fit": FIT},
    heads={"loss": "fit"},
    trainable=["log_beta"],
    waived={"stability": "a unit as narrow as exp(-789) is at no sample"},
)


def load(seed=0):
    """Ten features (N, 10) and the progress of the disease (N, 1); the last fifth of a fixed shuffle is held out."""
    x, y = load_diabetes(return_X_y=True)
    order = np.random.default_rng(seed).permutation(len(x))
    x, y = x[order], y[order, None]
    split = len(x) * 4 // 5
    return (x[:split], y[:split]), (x[split:], y[split:])


def initial(x, y, seed):
    """Centres from k-means, each as wide as its cluster, of hardly any height; and the plane of linear regression."""
    clusters = KMeans(UNITS, n_init=4, random_state=seed).fit(x)
    distances = ((x - clusters.cluster_centers_[clusters.labels_]) ** 2).sum(axis=1)
    widths = np.array([distances[clusters.labels_ == unit].mean() for unit in range(UNITS)])
    generator = np.random.default_rng(seed)
    plane = LinearRegression().fit(x, y)
    return {
        "rbf.centres": clusters.cluster_centers_,
        "log_beta": np.log(WIDE / np.maximum(widths, 1e-3)),
        "rbf.u": generator.normal(0.0, 0.1, UNITS),
        "plane.weight": plane.coef_.T,
        "plane.bias": plane.intercept_,
    }


def gradient_error(parameters, samples, checks=("gradient",)):
    """Verify every entry at these parameters; returns the largest relative error that rounding does not explain."""
    report = gradcheck.check(LOSS, {**samples, **parameters}, threshold=1e-6, checks=checks)
    report.raise_for_failure()
    found = (check.evidence for case in report.verification.cases for check in case.checks)
    return max(evidence.relative_error for evidence in found if evidence is not None)


def train(training, seed=0, show=True):
    """Verify and train; returns the parameters, the scalings of x and y, and losses and gradient errors."""
    of_x, of_y = (Scaling.of(values) for values in training)
    data = {"x": of_x.applied(training[0]), "y": of_y.applied(training[1])}
    few = {leaf: values[:2] for leaf, values in data.items()}
    parameters = initial(data["x"], data["y"], seed)
    losses, errors = [], [(0, gradient_error(parameters, few, checks=()))]
    trainer = Trainer(LOSS, SGD(RATE, decay=DECAY), batch=32, seed=seed)
    for epoch in tqdm(islice(trainer.epochs(parameters, data), EPOCHS), total=EPOCHS, disable=not show):
        losses.append(epoch.loss)
        if epoch.number % EVERY == 0:
            errors.append((epoch.number, gradient_error(epoch.parameters, few)))
    return epoch.parameters, (of_x, of_y), losses, errors


def mean_squared_errors(parameters, scalings, training, held_out):
    """On the held-out samples, of the network and of linear regression."""
    (of_x, of_y), (x, y) = scalings, held_out
    predicted, _ = PREDICTION.forward(x=of_x.applied(x), **parameters)
    linear = LinearRegression().fit(*training).predict(x)
    return float(np.mean((predicted * of_y.deviation + of_y.mean - y) ** 2)), float(np.mean((linear - y) ** 2))


def plot(path, losses, errors):
    """Loss and gradient-check error over the epochs."""
    figure = Figure(figsize=(8, 3), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.plot(range(1, len(losses) + 1), losses)
    left.set(xlabel="epoch", ylabel="loss")
    # An error that the numerical one explains is 0, which a logarithmic axis cannot show.
    right.semilogy([epoch for epoch, _ in errors], [max(error, 1e-16) for _, error in errors], "o-")
    right.axhline(1e-6, color="grey", linestyle="--")
    right.set(xlabel="epoch", ylabel="gradient-check error")
    figure.savefig(path)


def report(split=0):
    """Verify, train and print both errors; returns losses and gradient errors."""
    training, held_out = load(split)
    parameters, scalings, losses, errors = train(training)
    network, linear = mean_squared_errors(parameters, scalings, training, held_out)
    print(f"split {split}: held-out mean squared error {network:.1f} (linear regression {linear:.1f})")
    return losses, errors


if __name__ == "__main__":
    path = sys.argv[1] if len(sys.argv) > 1 else "rbf.png"
    if path == "survey":
        for split in range(10):
            report(split)
    else:
        plot(path, *report())
