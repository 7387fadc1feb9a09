"""The Anki decks, read and updated by Anki's own library."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import pytest
from fake_bank import make_bank, make_large_bank, make_question, make_text

from halfbits.catalog import CourseError
from halfbits.interview.anki import make_deck, stable_id, write_decks
from halfbits.interview.bank import Bank

anki = pytest.importorskip("anki.collection", reason="Anki's library is not installed")


@pytest.fixture
def collection(tmp_path: Path):
    opened = anki.Collection(str(tmp_path / "collection.anki2"))
    yield opened
    opened.close()


@pytest.fixture(autouse=True)
def date(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1770000000")


def add(collection, path: Path):
    options = anki.ImportAnkiPackageOptions()
    request = anki.ImportAnkiPackageRequest(package_path=str(path), options=options)
    return collection.import_anki_package(request).log


def notes(collection) -> dict[str, object]:
    found = [collection.get_note(note) for note in collection.find_notes("")]
    return {note["Name"]: note for note in found}


def test_anki_reads_every_note_of_both_decks(collection, tmp_path: Path) -> None:
    bank = make_large_bank()
    for path in write_decks(bank, tmp_path / "out"):
        assert len(add(collection, path).new) == len(bank.questions)
    slugs = {question.slug for question in bank.questions}
    assert set(notes(collection)) == {f"{lang}/{slug}" for lang in ("en", "zh") for slug in slugs}
    assert collection.card_count() == 2 * len(slugs)
    assert len(collection.models.all_names_and_ids()) >= 2


def test_card_shows_question_answer_points_and_tags(collection, tmp_path: Path) -> None:
    english, chinese = write_decks(make_bank(make_question("bf16", seed=1)), tmp_path)
    add(collection, english)
    add(collection, chinese)
    note = notes(collection)["zh/bf16"]
    (card,) = note.cards()
    assert "什么是 <code>bf16</code>?" in card.question()
    answer = card.answer()
    assert r"\(2^{-25}\)" in answer
    assert "<li>说出累加器</li>" in answer
    assert "<table>" in answer
    assert 'lang="zh-Hans"' in answer
    assert "[" not in answer.replace(r"\[", "")
    assert set(note.tags) == {
        "halfbits::topic::formats",
        "halfbits::level::screening",
        "halfbits::kind::explain",
        "halfbits::seed",
    }


def rewritten(bank: Bank, slug: str) -> Bank:
    """The bank with another English question text, and one more question in front."""
    text = dataclasses.replace(make_text(slug, "en"), question="Asked better?")
    changed = [
        dataclasses.replace(q, texts={**q.texts, "en": text}) if q.slug == slug else q
        for q in bank.questions
    ]
    return make_bank(*changed, make_question("added", seed=None, topics=("formats",)))


def test_newer_deck_updates_the_text_and_keeps_the_progress(
    collection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bank = make_bank(make_question("bf16"), make_question("fp16"))
    add(collection, write_decks(bank, tmp_path / "old")[0])
    ids = {name: (note.id, note.cards()[0].id) for name, note in notes(collection).items()}
    review(collection, notes(collection)["en/bf16"])
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1770000100")
    log = add(collection, write_decks(rewritten(bank, "bf16"), tmp_path / "new")[0])
    assert (len(log.new), len(log.updated)) == (1, 2)
    found = notes(collection)
    assert "Asked better?" in found["en/bf16"]["Question"]
    assert {n: (found[n].id, found[n].cards()[0].id) for n in ids} == ids
    card = found["en/bf16"].cards()[0]
    assert (card.reps, int(card.type) > 0) == (1, True)


def review(collection, note) -> None:
    collection.decks.select(note.cards()[0].did)
    while card := collection.sched.getCard():
        if card.nid == note.id:
            collection.sched.answerCard(card, 3)
            return
        collection.sched.bury_cards([card.id])


def test_two_runs_write_the_same_bytes(tmp_path: Path) -> None:
    bank = make_large_bank()
    first = write_decks(bank, tmp_path / "first")
    second = write_decks(bank, tmp_path / "second")
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    assert [path.name for path in first] == ["halfbits-en.apkg", "halfbits-zh.apkg"]


def test_newest_question_file_dates_the_deck(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from halfbits.interview.anki import changed

    monkeypatch.delenv("SOURCE_DATE_EPOCH")
    for name, moment in (("old", 1000), ("new", 3000)):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (moment, moment))
    questions = [make_question(name, path=tmp_path / name) for name in ("old", "new")]
    assert changed(make_bank(*questions)) == 3000


def test_no_two_ids_are_the_same_in_the_real_bank() -> None:
    from halfbits.interview.bank import load_bank

    bank = load_bank()
    for kind in ("note", "card"):
        guids = [note.guid for lang in ("en", "zh") for note in make_deck(bank, lang).notes]
        assert len({stable_id(kind, guid) for guid in guids}) == len(guids) > 0


def test_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CourseError, match="cannot be written"):
        write_decks(make_bank(make_question("bf16")), tmp_path / "file" / "out")
