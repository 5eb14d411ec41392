"""Other people's tokenizers, against the libraries that made them."""

import json
import random

import pytest

import aigc_demo.data.vision  # noqa: F401  # before transformers: it cures torchvision

# isort: split
from tokenizers import ByteLevelBPETokenizer
from transformers import BertTokenizer, GPT2Tokenizer

from aigc_demo.checkpoints.gpt2 import tokenizer_of
from aigc_demo.checkpoints.wordpiece import WordPiece
from aigc_demo.models.gpt2 import GPT2Config
from aigc_demo.samples import sample_text

HARD = [
    "",
    " ",
    "\n\n  \n",
    "Hello, world!  How's it going? I'm fine; they'll say we've DON'T can't 'S 'ss",
    "a  b   c\t\td \r\n e ",
    "春眠不覺曉，處處聞啼鳥。夜來風雨聲",
    "我说 hello 世界123",
    "naïve café Ångström Zürich Noe\u0308l",
    "😀👩‍👩‍👧‍👦 🇨🇳 é 🫨",
    "x²+½=Ⅷ ٣٤ 一二三 १२",
    "\x1c\x1f\x85\xa0\u2003\u3000end\u200b\u00ad\ufeff",
    "snake_case __init__ a--b ... “quoted” ‘it’s’",
    "𠀀𪚥 豈 ﬁ ｆｕｌｌ　width",
    "\ud7ff\ufffd\ue000 \x00\x07 bell",
    "'s't're've'm'll'd'x 'S",
    "A" * 101 + " " + "b" * 100,
    "<|endoftext|x> [CLSX] [ UNK ]",
    "1234567890 12,345.67 €5 $3 %",
    "한국어 かな カナ ภาษาไทย العربية עברית",
]


PROSE = HARD[3]


def gibberish(count):
    """Random texts of signs that meet in odd ways."""
    draw = random.Random(0)
    signs = "ab zZ  \n\t'’sltmdrve.,!?-_#1290²Ⅷ春眠，。é\u0301ñ😀\u200d\xa0\u3000ßİſ한かत्"
    return ["".join(draw.choices(signs, k=draw.randrange(1, 40))) for _ in range(count)]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with a small BPE in both forms."""
    folder = tmp_path_factory.mktemp("bpe")
    bpe = ByteLevelBPETokenizer()
    text = sample_text("shakespeare.txt")[:60_000] + "don't we'll 春眠不覺曉，😀 2026 naïve\n" * 20
    bpe.train_from_iterator([text], 800, 2, special_tokens=["<|endoftext|>"], show_progress=False)
    bpe.save_model(str(folder))
    bpe.save(str(folder / "tokenizer.json"))
    return folder


def copied(source, target, *names):
    for name in names:
        (target / name).write_bytes((source / name).read_bytes())
    return target


@pytest.fixture(scope="module", params=["tokenizer.json", "vocab.json and merges.txt"])
def bpe(request, trained, tmp_path_factory):
    folder = tmp_path_factory.mktemp("one")
    names = request.param.split(" and ")
    (folder / "config.json").write_text('{"model_type": "gpt2", "eos_token_id": 0}')
    return tokenizer_of(copied(trained, folder, *names), GPT2Config(vocabulary_size=800))


def test_ids_of_bytes_are_those_of_transformers(bpe, trained):
    theirs = GPT2Tokenizer(str(trained / "vocab.json"), str(trained / "merges.txt"))
    for text in HARD + gibberish(400) + [sample_text("shakespeare.txt")[:5_000]]:
        assert bpe.encode(text) == theirs.encode(text), text


def test_any_text_comes_back_from_its_bytes(bpe):
    for text in HARD + gibberish(100):
        assert bpe.decode(bpe.encode(text)) == text


def test_characters_come_whole_with_the_last_of_their_tokens(bpe):
    text = "夜來😀 風雨"
    ids = bpe.encode(text)
    assert len(ids) > len(text)  # some character is split
    pieces = list(bpe.pieces(ids))
    assert len(pieces) == len(ids)
    assert "".join(pieces) == text
    assert "" in pieces
    for end in range(len(ids) + 1):  # a text that is cut off shows no sign of it
        assert text.startswith(bpe.decode(ids[:end]))


def test_bytes_that_are_no_text_do_not_stop_it(bpe):
    start = bpe.bytes.index(b"\xe6")
    letter = bpe.ids["a"]
    assert bpe.decode([start, letter]) == "�a"
    assert bpe.name_of(start) == "⟨E6⟩"


def test_a_text_that_spells_the_end_is_no_end(bpe):
    assert bpe.end == 0
    assert bpe.is_control(0)
    assert bpe.name_of(0) == "⟨endoftext⟩"
    ids = bpe.encode("<|endoftext|>")
    assert 0 not in ids
    assert bpe.decode([0, *ids, 0]) == "<|endoftext|>"


def test_a_lone_half_of_a_character_is_read_as_a_question_mark(bpe):
    assert bpe.encode("a\ud800b") == bpe.encode("a?b")


def test_a_long_word_takes_no_long_time(bpe):
    text = "".join(random.Random(1).choices("etaoinshrdlu", k=20_000))
    assert bpe.decode(bpe.encode(text)) == text


def test_ids_without_a_token_are_no_text(trained):
    tokenizer = tokenizer_of(trained, GPT2Config(vocabulary_size=810))
    assert len(tokenizer) == 810
    assert tokenizer.is_control(805)
    assert tokenizer.name_of(805) == "⟨805⟩"
    assert tokenizer.decode([805]) == ""


def test_names_of_pieces_and_ids_of_texts(bpe):
    the = bpe.encode("x the")[-1]
    assert bpe.name_of(the) == " the"
    assert bpe.ids[" the"] == the


BROKEN = {
    "an id too many": (lambda v, m: (v | {"zz": 900}, m), "900"),
    "an id of text": (lambda v, m: (v | {"zz": "1"}, m), "'1'"),
    "no token for a byte": (lambda v, m: ({k: i for k, i in v.items() if k != "Ġ"}, m), "Ġ"),
    "a merge of three": (lambda v, m: (v, [*m, "a b c"]), "a b c"),
    "a merge without a token": (lambda v, m: (v, [*m, "Q zq"]), "Qzq"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_damaged_files_of_bytes_are_refused(trained, tmp_path, what):
    damage, named = BROKEN[what]
    vocabulary = json.loads((trained / "vocab.json").read_text())
    merges = (trained / "merges.txt").read_text().split("\n")
    vocabulary, merges = damage(vocabulary, [line for line in merges if line])
    (tmp_path / "vocab.json").write_text(json.dumps(vocabulary))
    (tmp_path / "merges.txt").write_text("\n".join(merges))
    with pytest.raises(ValueError, match="expected") as raised:
        tokenizer_of(tmp_path, GPT2Config(vocabulary_size=800))
    assert named in str(raised.value)
    assert str(tmp_path) in str(raised.value)


@pytest.mark.parametrize(
    "content",
    [
        {"model": {"type": "Unigram"}},
        {"model": []},
        {"model": {"type": "BPE", "vocab": {}, "merges": []}},
        {"model": {"type": "BPE"}, "pre_tokenizer": {"type": "ByteLevel"}},
        {"model": {"type": "BPE"}, "pre_tokenizer": {"type": "ByteLevel", "use_regex": False}},
        {"model": {"type": "WordPiece", "vocab": {"[UNK]": 0}}},
        {"model": {"type": "WordPiece", "vocab": []}, "normalizer": {"type": "BertNormalizer"}},
        {"model": {"type": "WordPiece"}, "normalizer": {"type": "BertNormalizer"}},
    ],
)
def test_other_kinds_of_tokenizer_are_refused(tmp_path, content):
    (tmp_path / "tokenizer.json").write_text(json.dumps(content))
    with pytest.raises(ValueError, match="expected"):
        tokenizer_of(tmp_path, GPT2Config())


def test_a_tokenizer_json_that_does_not_say_its_kind_is_read_too(trained, pair, tmp_path):
    theirs, size = pair[1], pair[3]
    theirs.save_pretrained(tmp_path)
    for path, config in (
        (trained / "tokenizer.json", GPT2Config(vocabulary_size=800)),
        (tmp_path / "tokenizer.json", size),
    ):
        whole = json.loads(path.read_text())
        del whole["model"]["type"]
        folder = tmp_path / str(config.vocabulary_size)
        folder.mkdir()
        (folder / "tokenizer.json").write_text(json.dumps(whole))
        found, expected = tokenizer_of(folder, config), tokenizer_of(path.parent, config)
        assert type(found) is type(expected)
        assert found.encode(PROSE) == expected.encode(PROSE)


def test_a_folder_without_tokenizer_is_refused(tmp_path):
    (tmp_path / "vocab.json").write_text("{}")  # half of one kind
    with pytest.raises(ValueError, match="expected tokenizer.json"):
        tokenizer_of(tmp_path, GPT2Config())


# WordPiece

CONTROLS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[unused1]"]
PIECES = (
    [
        *"abcdefghijklmnopqrstuvwxyz0123456789",
        *"春眠不觉晓處處聞啼鳥夜來風雨聲我说世界",
        *"，。!?'.,-_",
    ]
    + [f"##{c}" for c in "abcdefghijklmnopqrstuvwyz0123456789界"]
    + ["the", "hello", "##ing", "##llo", "cafe", "café", "Hello", "naive", "don", "😀"]
)


@pytest.fixture(scope="module", params=[{}, {"do_lower_case": False}, {"strip_accents": False}])
def pair(request, tmp_path_factory):
    """Ours and theirs on one vocabulary."""
    folder = tmp_path_factory.mktemp("words")
    (folder / "vocab.txt").write_text("\n".join([*CONTROLS, *PIECES]) + "\n")
    settings = {"tokenizer_class": "BertTokenizer", **request.param}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    size = GPT2Config(vocabulary_size=len(CONTROLS + PIECES) + 3)
    return tokenizer_of(folder, size), BertTokenizer.from_pretrained(folder), folder, size


def test_ids_of_words_are_those_of_transformers(pair):
    ours, theirs, *_ = pair
    known = [text for text in HARD if "🫨" not in text] + gibberish(400)
    for text in known:
        assert ours.encode(text) == theirs.encode(text, add_special_tokens=False), text
    assert ours.start == (theirs.cls_token_id,)
    assert ours.end == theirs.sep_token_id


def test_words_are_read_the_same_from_tokenizer_json(pair, tmp_path):
    ours, theirs, _, size = pair
    theirs.save_pretrained(tmp_path)
    assert not (tmp_path / "vocab.txt").exists()
    again = tokenizer_of(tmp_path, size)
    assert isinstance(again, WordPiece)
    for text in HARD + gibberish(50):
        assert again.encode(text) == ours.encode(text)


def test_words_are_put_together_without_spaces_between_chinese_characters():
    vocabulary = {token: index for index, token in enumerate(CONTROLS + PIECES)}
    ours = WordPiece(vocabulary, len(CONTROLS + PIECES))
    for text in (
        "春眠不觉晓，處處聞啼鳥。",
        "hello the naive, don't!",
        "我说hello the世界",
        "a. b, c",
    ):
        assert ours.decode(ours.encode(text)) == text
    ids = [2, *ours.encode("hello the世界"), 3, *ours.encode("a")]
    pieces = list(ours.pieces(ids))
    assert "".join(pieces) == ours.decode(ids)
    assert pieces[0] == ""
    assert " the" in pieces


def test_control_tokens_are_named_and_left_out(pair):
    ours = pair[0]
    assert [ours.name_of(token) for token in (0, 1, 2, 3)] == ["⟨PAD⟩", "⟨UNK⟩", "⟨CLS⟩", "⟨SEP⟩"]
    assert ours.name_of(len(CONTROLS)) == "a"
    assert ours.decode(range(len(CONTROLS))) == ""
    assert ours.is_control(len(ours) - 1)  # beyond the vocabulary
    assert not set(ours.encode("[CLS] [SEP]")) & {2, 3}


@pytest.mark.parametrize(
    "vocabulary", [{"[UNK]": 0, "a": 2}, {"a": 0, "b": 1}, {"[UNK]": "0"}, {"[UNK]": True}, None]
)
def test_damaged_vocabularies_of_words_are_refused(vocabulary):
    with pytest.raises(ValueError, match="expected"):
        WordPiece(vocabulary, 2)
