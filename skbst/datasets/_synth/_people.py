"""The people who upload: a few large accounts and a long tail, each with habits of its own."""

import zlib
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from skbst.datasets._synth._dsp import draw
from skbst.datasets._synth._neighbours import BSD10K_COUNTS, NEIGHBOURS
from skbst.datasets._synth._registry import split

__all__ = ["Uploader", "draw_uploader"]

# the same people in every made set, as the two real sets share Freesound's
_WORLD = 1821
# uploaders who give much, and the pool of people most of whom give little; made up
_N_LARGE = 10
_POOL = 400

_FIRST = split(
    "acoustic,analog,blue,brass,copper,dusty,echo,field,fuzzy,ghost,green,hidden,iron,jazz,kilo,late,lunar,micro,"
    "night,noise,north,odd,old,pixel,quiet,rainy,red,silent,silver,slow,sonic,stone,tape,tiny,urban,velvet,wild,zen"
)
_SECOND = split(
    "bird,box,cat,craft,deer,dog,ear,fox,garden,hawk,hunter,kid,lab,lake,lover,machine,maker,man,mic,mouse,owl,"
    "panda,pilot,recordist,reel,river,robot,room,sound,spoon,studio,tone,traveller,tree,turtle,wave,wolf,works"
)
_DEVICES = split(
    "zoom-h4n,zoom-h2,tascam-dr-05,sony-pcm,roland-r-26,neumann-u87,rode-nt1,iphone,edirol-r09,sm58,audacity"
)
_PLACES = split(
    "spain,netherlands,korea,uk,london,germany,poland,brazil,usa,california,france,portugal,india,japan,canada"
)
_PACKS = split(
    "multisample,sample-pack,free,royalty-free,game-audio,owi,foley,daw,24bit,96khz,stereo,vintage,demo,sfx,remix"
)
_LICENSES = (
    ("https://creativecommons.org/licenses/by/4.0/", 0.34),
    ("http://creativecommons.org/publicdomain/zero/1.0/", 0.31),
    ("http://creativecommons.org/licenses/by/3.0/", 0.19),
    ("https://creativecommons.org/licenses/by-nc/4.0/", 0.08),
    ("http://creativecommons.org/licenses/by-nc/3.0/", 0.04),
    ("http://creativecommons.org/licenses/sampling+/1.0/", 0.04),
)
_STYLES = ("sentence", "file", "dated", "camel", "opaque", "pack")


@dataclass(frozen=True)
class Uploader:
    """An account and its habits.

    Parameters
    ----------
    name : str
        Account name.

    title_style : str
        How titles are written.

    fixed_tags : tuple of str
        Tags put on every sound.

    description_style : int
        Which boilerplate follows the text; 0 writes nothing at all.

    license : str
        URL of the usual licence.

    care : float
        Multiplies the rate of wrong labels; mean about 1.

    favourite : float in [0, 1)
        Which neighbour class wrong labels go to.
    """

    name: str
    title_style: str
    fixed_tags: tuple
    description_style: int
    license: str
    care: float
    favourite: float


@lru_cache(maxsize=8192)
def _profile(home, number):
    rng = np.random.default_rng([_WORLD, zlib.crc32(home.encode()), number])
    name = rng.choice(_FIRST) + rng.choice(["", "_", "-", ""]) + rng.choice(_SECOND)
    name = name.title().replace("_", "") if rng.random() < 0.3 else name
    if home != "large" and rng.random() < 0.75:
        name += str(int(rng.integers(2, 2000)))
    pools = (_DEVICES, _PLACES, _PACKS)
    tags = [str(rng.choice(pool)) for pool in pools if rng.random() < 0.35]
    urls, shares = zip(*_LICENSES)
    return Uploader(
        name=str(name),
        title_style=str(rng.choice(_STYLES, p=[0.24, 0.34, 0.1, 0.1, 0.12, 0.1])),
        fixed_tags=tuple(tags),
        description_style=int(rng.choice(9, p=[0.17] + [0.83 / 8] * 8)),
        license=str(rng.choice(urls, p=np.array(shares) / sum(shares))),
        care=float(rng.choice([0.3, 0.8, 1.0, 1.9])),
        favourite=float(rng.random()),
    )


@lru_cache(maxsize=1)
def _large_shares():
    """Weight of each large account for each class, ``{class: (10,)}``: three home classes each, sizes by rank."""
    codes, shares = list(BSD10K_COUNTS), {}
    homes = [np.random.default_rng([_WORLD, 7, k]).choice(len(codes), 3, replace=False) for k in range(_N_LARGE)]
    size = 1 / (1 + np.arange(_N_LARGE)) ** 0.6
    for c, code in enumerate(codes):
        liking = np.array([1.0 if c in home else 0.03 for home in homes]) * size
        shares[code] = tuple((liking / liking.sum()).tolist())
    return shares


def draw_uploader(rng, code, *, large=0.16):
    """Draw who uploads a sound of class `code`; `large` is the share of the ten largest accounts."""
    if rng.random() < large:
        return _profile("large", draw(rng, _large_shares()[code]))
    home = code
    if rng.random() < 0.22:
        near = NEIGHBOURS[code]
        home = near[rng.integers(len(near))]
    return _profile(home, int(_POOL * rng.random() ** 5))
