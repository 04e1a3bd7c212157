"""What is to be verified of network.py: every layer, the loss, and the network as a whole.

The arguments of a constructor are dimensions of the arrays, so each class is tried at several sizes.
"""

from network import Dense, Network, Relu, SoftmaxCrossEntropy

import gradcheck
from gradcheck import labels, real

gradcheck.register(gradcheck.from_object(Dense, inputs={"x": real("N inputs")}, outputs={"a": "N outputs"}))
gradcheck.register(gradcheck.from_object(Relu, inputs={"x": real("N D")}, outputs={"a": "N D"}))
gradcheck.register(
    gradcheck.from_object(
        SoftmaxCrossEntropy,
        inputs={"logits": real("N classes"), "labels": labels("N", classes="classes")},
        outputs={"loss": ""},
    )
)
gradcheck.register(
    gradcheck.from_object(
        Network,
        inputs={"x": real("N pixels")},
        parameters={"dense1.b": real("hidden")},  # the other parameters are found on the object
        outputs={"logits": "N classes"},
    )
)
