"""Both classifiers, verified and trained as a test, with what they have to reach on the held-out fifth."""

import pytest

train_digits = pytest.importorskip("train_digits", reason="scikit-learn has the digits", exc_type=ImportError)


@pytest.mark.parametrize(("name", "required"), [("mlp", 0.97), ("convnet", 0.98)])
def test_it_is_verified_and_learns(name, required, tmp_path):
    training, held_out = train_digits.load()
    parameters, scaling, losses, errors = train_digits.train(name, training, show=False)
    assert train_digits.accuracy(name, parameters, scaling, *held_out) >= required
    assert max(error for _, error in errors) <= 1e-6
    train_digits.plot(tmp_path / "plot.png", losses, errors)
    assert (tmp_path / "plot.png").stat().st_size > 10_000
