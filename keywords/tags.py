"""Names of languages as people and systems write them, to the names of our packs."""

# ISO 639-3 (and 639-2/B where it differs), old codes, and languages that a pack covers as well.
_ALSO = """
af afr; am amh; ar ara arb arz apc acm ajp ary arq aeb ars; as asm; az aze azj; be bel; bg bul;
bn ben; bs bos; ca cat val; cs ces cze; cy cym wel; da dan; de deu ger gsw; el ell gre; en eng;
es spa; et est ekk; eu eus baq; fa fas per pes prs; fi fin; fr fra fre; fy fry; ga gle; gl glg;
gu guj; ha hau; he heb iw; hi hin; hr hrv; ht hat; hu hun; hy hye arm; id ind in; ig ibo;
is isl ice; it ita; ja jpn; jv jav jw; ka kat geo; kk kaz; km khm; kn kan; ko kor; ku kur kmr ckb;
ky kir; lb ltz; lg lug; ln lin; lo lao; lt lit; lv lav lvs; mg mlg plt; mk mkd mac; ml mal;
mn mon khk; mr mar; ms msa may zsm; mt mlt; my mya bur; nb nob no nor; ne nep npi; nl nld dut;
nn nno; ny nya; om orm gaz; or ori ory; pa pan pnb; pl pol; ps pus pbt pbu; pt por; ro ron rum mo;
ru rus; rw kin; sd snd; si sin; sk slk slo; sl slv; sn sna; so som; sq sqi alb als; sr srp sh hbs;
st sot nso; su sun; sv swe; sw swa swh; ta tam; te tel; tg tgk; th tha; ti tir; tk tuk;
tl tgl fil; tn tsn; tr tur; uk ukr; ur urd; uz uzb uzn; vi vie; xh xho; yo yor; zh zho chi cmn yue
wuu nan; zu zul
"""
_TAG_OF = {
    name: names[0] for names in (line.split() for line in _ALSO.split(";")) for name in names[1:]
}


def tag_of(name: str) -> str:
    """Return the pack's name of a language given as a BCP 47 tag or ISO 639 code, in any case.

    Regions and scripts are dropped; a language without a pack keeps its own name.
    """
    first = name.replace("_", "-").split("-")[0].strip().lower()
    return _TAG_OF.get(first, first)
