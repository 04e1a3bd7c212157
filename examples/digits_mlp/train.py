"""Train the network on the digits that come with scikit-learn: 1797 pictures of 8 x 8 pixels."""

import numpy as np
from network import Network, SoftmaxCrossEntropy
from sklearn.datasets import load_digits


def load():
    """Pixels from 0 to 1 and labels; the last fifth of a fixed shuffle is held out."""
    pixels, digits = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(pixels))
    pixels, digits = pixels[order] / 16, digits[order]
    split = len(pixels) * 4 // 5
    return (pixels[:split], digits[:split]), (pixels[split:], digits[split:])


def train(network, pixels, digits, epochs=30, rate=0.5, batch=32, seed=0):
    """Plain stochastic gradient descent."""
    loss = SoftmaxCrossEntropy()
    rng = np.random.default_rng(seed)
    for _ in range(epochs):
        for chosen in np.array_split(rng.permutation(len(pixels)), len(pixels) // batch):
            loss.forward(network.forward(pixels[chosen]), digits[chosen])
            network.backward(loss.backward())
            for name, parameter in network.params.items():
                parameter -= rate * network.grads[name]


def accuracy(network, pixels, digits):
    return (network.forward(pixels).argmax(axis=1) == digits).mean()


if __name__ == "__main__":
    training, held_out = load()
    network = Network(pixels=64, hidden=32, classes=10)
    train(network, *training)
    print(f"held-out accuracy {accuracy(network, *held_out):.1%}")
