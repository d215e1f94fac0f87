"""Which names mean train, val and test: 'training_set', 'seg_train', 'train2017', 'dev', 'eval', ...

As Hugging Face datasets reads them: dev is val, eval and evaluation are test. In ten languages.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping

SKIP = "skip"  # images without labels, to predict
CLASS = "class"  # a person says: no split
_WORDS = {
    "train": "train training trainval trn tr "
    "trainings trainieren entrenamiento entraînement entrainement apprentissage addestramento treino "
    "treinamento трейн обучение обучающая 训练 訓練 学習 학습 훈련",
    "val": "val valid validation validate dev devel development "
    "validierung validierungs validación validacion validazione validação validacao валидация валидационная "
    "验证 驗證 検証 검증",
    "test": "test testing tst eval evaluation holdout heldout "
    "tests teste prueba pruebas prova тест тестовая 测试 測試 テスト 評価 테스트 시험",
    SKIP: "pred predict prediction predictions unlabelled unlabeled inference submission",
}
ROLES = {word: role for role, words in _WORDS.items() for word in words.split()}
_NOISE = frozenset(
    [
        "set",
        "data",
        "dataset",
        "images",
        "image",
        "imgs",
        "img",
        "pictures",
        "photos",
        "split",
        "folder",
        "dir",
        "part",
        "jpg",
        "png",
        "daten",
        "satz",
        "выборка",
        "集",
        "数据",
        "データ",
        "用",
        "세트",
    ]
)


def role(name: str) -> tuple[str, tuple[str, ...]] | None:
    """The role that a name says, and its other words; None where it says none, or two that differ.

    'train_val2019' is train: the part that is not test.
    """
    name = re.sub(r"(?i)\b(held|hold)[ _-]+out\b", r"\1out", unicodedata.normalize("NFC", name))
    words = re.findall(r"[^\W\d_]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name))
    words = [part for word in words for part in _parts(word.casefold())]
    said = {ROLES[word] for word in words if word in ROLES}
    if said == {"train", "val"}:
        said = {"train"}
    if len(said) != 1:
        return None
    return said.pop(), tuple(word for word in words if word not in ROLES and word not in _NOISE)


def _parts(word: str) -> list[str]:
    """'trainset' as 'train', 'set'."""
    rest = word
    ends: list[str] = []
    while rest not in ROLES:
        noise = next((noise for noise in _NOISE if rest.endswith(noise) and rest != noise), None)
        if noise is None:
            return [word]
        rest, ends = rest.removesuffix(noise), [noise, *ends]
    return [rest, *ends]


def roles(names: Iterable[str], given: Mapping[str, str]) -> dict[str, str]:
    """The roles among names that lie side by side.

    A name with words of its own ('seg_train', 'bullet train') is a split only where another one with the
    same words has another role ('seg_test'). given: what a person said, by name.
    """
    names = set(names)
    found: dict[str, str] = {}
    families: dict[tuple[str, ...], dict[str, str]] = defaultdict(dict)
    for name in names:
        if name in given:
            if given[name] != CLASS:
                found[name] = given[name]
        elif (said := role(name)) is not None:
            families[said[1]][name] = said[0]
    for words, family in families.items():
        spoken = set(family.values())
        if not words or ("train" in spoken and len(spoken) > 1):
            found |= family
    return found
