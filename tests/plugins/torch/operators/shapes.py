"""What moves, repeats, selects, writes and pads entries."""

from tests.plugins.torch.operators.draws import indices, mask, normal
from tests.plugins.torch.operators.row import Operator, torch

F = torch.nn.functional

_X = {"x": normal(3, 4)}
_CUBE = {"x": normal(2, 3, 2)}
_PICTURE = {"x": normal(1, 2, 4, 3)}

OPERATORS = (
    Operator("reshape", lambda x: torch.reshape(x, (2, 6)), _X),
    Operator("permute", lambda x: torch.permute(x, (2, 0, 1)), _CUBE),
    Operator("movedim", lambda x: torch.movedim(x, 0, -1), _CUBE),
    Operator("flip", lambda x: torch.flip(x, (0, 2)), _CUBE),
    Operator("roll", lambda x: torch.roll(x, (1, -1), (0, 1)), _X),
    Operator("rot90", lambda x: torch.rot90(x, 1, (0, 1)), _X),
    Operator("cat", lambda x, y: torch.cat((x, y, x), dim=1), {"x": normal(2, 3), "y": normal(2, 1)}),
    Operator("stack", lambda x, y: torch.stack((x, y), dim=-1), {"x": normal(2, 3), "y": normal(2, 3)}),
    Operator("split", lambda x: torch.split(x, (1, 3), dim=1), _X),
    Operator("unbind", lambda x: torch.unbind(x, dim=0), _X),
    Operator("expand", lambda x: x.expand(4, 3, 2), {"x": normal(3, 1)}),
    Operator("tile", lambda x: torch.tile(x, (2, 1, 3)), {"x": normal(2, 2)}),
    Operator(
        "repeat_interleave", lambda x, n: torch.repeat_interleave(x, n, dim=1), {**_X, "n": indices([2, 0, 1, 3])}
    ),
    Operator(
        "as_strided",
        lambda x: torch.as_strided(x, (3, 3), (2, 1), 1),
        {"x": normal(9)},
        waive={"layouts": "it is about the memory of its input, whatever entries are where"},
    ),
    Operator("unfold", lambda x: x.unfold(1, 3, 2), {"x": normal(2, 7)}),
    Operator("tril", lambda x: torch.tril(x, -1), {"x": normal(4, 3)}),
    Operator("triu", lambda x: torch.triu(x, 1), {"x": normal(2, 3, 3)}),
    Operator("diag", lambda x: torch.diag(x, 1), {"x": normal(3)}),
    Operator("diag_embed", lambda x: torch.diag_embed(x, -1), {"x": normal(2, 3)}),
    Operator("diagonal", lambda x: torch.diagonal(x, 1, 0, 2), {"x": normal(3, 2, 4)}),
    Operator("gather", lambda x, i: torch.gather(x, 1, i), {**_X, "i": indices([[0, 0, 3], [2, 1, 1], [3, 3, 3]])}),
    Operator("take", lambda x, i: torch.take(x, i), {**_X, "i": indices([0, 11, 5, 5])}),
    Operator("take_along_dim", lambda x: torch.take_along_dim(x, torch.argsort(x, dim=1), dim=1), _X),
    Operator("index_select", lambda x, i: torch.index_select(x, 1, i), {**_X, "i": indices([3, 0, 0])}),
    Operator("indexing by arrays", lambda x, i: x[i, 1:], {**_X, "i": indices([2, 2, 0])}),
    Operator("indexing by a mask", lambda x, m: x[m], {**_X, "m": mask(3, 4)}),
    Operator("masked_select", lambda x, m: torch.masked_select(x, m), {**_X, "m": mask(4)}),
    Operator("masked_fill", lambda x, m, v: x.masked_fill(m, v), {**_X, "m": mask(3, 4), "v": normal()}),
    Operator("masked_scatter", lambda x, m, y: x.masked_scatter(m, y), {**_X, "m": mask(3, 4), "y": normal(8)}),
    Operator("index_fill", lambda x, i, v: x.index_fill(1, i, v), {**_X, "i": indices([0, 2]), "v": normal()}),
    Operator(
        "index_add",
        lambda x, i, y: torch.index_add(x, 0, i, y, alpha=0.5),
        {"x": normal(3, 2), "i": indices([0, 2, 0, 1]), "y": normal(4, 2)},
    ),
    Operator(
        "index_copy",
        lambda x, i, y: torch.index_copy(x, 0, i, y),
        {"x": normal(4, 2), "i": indices([3, 1]), "y": normal(2, 2)},
    ),
    Operator(
        "index_put, accumulated",
        lambda x, i, y: torch.index_put(x, (i,), y, accumulate=True),
        {"x": normal(4), "i": indices([1, 1, 3]), "y": normal(3)},
    ),
    Operator(
        "scatter",
        lambda x, i, y: torch.scatter(x, 1, i, y),
        {**_X, "i": indices([[0, 3], [2, 1], [1, 0]]), "y": normal(3, 2)},
    ),
    Operator(
        "scatter_add",
        lambda x, i, y: torch.scatter_add(x, 1, i, y),
        {**_X, "i": indices([[0, 0], [2, 2], [1, 3]]), "y": normal(3, 2)},
    ),
    Operator(
        "scatter_reduce, mean",
        lambda x, i, y: torch.scatter_reduce(x, 0, i, y, "mean"),
        {"x": normal(4), "i": indices([0, 0, 2, 0]), "y": normal(4)},
    ),
    Operator(
        "scatter_reduce, product",
        lambda x, i, y: torch.scatter_reduce(x, 0, i, y, "prod", include_self=False),
        {"x": normal(4), "i": indices([0, 0, 2, 0]), "y": normal(4)},
    ),
    Operator(
        "scatter_reduce, maximum",
        lambda x, i, y: torch.scatter_reduce(x, 0, i, y, "amax"),
        {"x": normal(4), "i": indices([0, 0, 2, 0]), "y": normal(4)},
    ),
    Operator("select_scatter", lambda x, y: torch.select_scatter(x, y, 1, 2), {**_X, "y": normal(3)}),
    Operator("slice_scatter", lambda x, y: torch.slice_scatter(x, y, 1, 0, 4, 2), {**_X, "y": normal(3, 2)}),
    Operator("diagonal_scatter", lambda x, y: torch.diagonal_scatter(x, y), {"x": normal(3, 3), "y": normal(3)}),
    Operator("pad, constant", lambda x: F.pad(x, (1, 2, 0, 1), value=3.0), _X),
    Operator("pad, cropping", lambda x: F.pad(x, (-1, 2)), _X),
    Operator("pad, reflect", lambda x: F.pad(x, (2, 1), mode="reflect"), {"x": normal(1, 2, 4)}),
    Operator("pad, replicate", lambda x: F.pad(x, (1, 2, 2, 0), mode="replicate"), _PICTURE),
    Operator("pad, circular", lambda x: F.pad(x, (1, 1, 2, 0), mode="circular"), _PICTURE),
    Operator("pixel_shuffle", lambda x: F.pixel_shuffle(x, 2), {"x": normal(1, 4, 2, 3)}),
    Operator("pixel_unshuffle", lambda x: F.pixel_unshuffle(x, 2), {"x": normal(1, 1, 4, 6)}),
    Operator("channel_shuffle", lambda x: F.channel_shuffle(x, 2), {"x": normal(1, 4, 2, 2)}),
    Operator("nn.functional.unfold", lambda x: F.unfold(x, (2, 2), padding=1, stride=2), _PICTURE),
    Operator("nn.functional.fold", lambda x: F.fold(x, (3, 4), (2, 2)), {"x": normal(1, 4, 6)}),
    Operator("block_diag", lambda x, y: torch.block_diag(x, y), {"x": normal(2, 3), "y": normal(1, 2)}),
    Operator("cartesian_prod", lambda x, y: torch.cartesian_prod(x, y), {"x": normal(3), "y": normal(2)}),
    Operator("combinations", lambda x: torch.combinations(x, 2), {"x": normal(4)}),
    Operator("meshgrid", lambda x, y: torch.meshgrid(x, y, indexing="ij"), {"x": normal(3), "y": normal(2)}),
    Operator("linalg.vander", lambda x: torch.linalg.vander(x, N=4), {"x": normal(4)}),
)
