"""What the workbooks of branches say about themselves, in every language of the bank's lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from campaigns.headings import HEADINGS, LANGUAGES
from conf.wording import Language

Texts = tuple[str, str, str, str]
Lines = Sequence[tuple[Texts, Texts]]
Block = tuple[str, Sequence[tuple[str, str | int]]]

WORDS: Mapping[str, Texts] = {
    "tab of a list": ("List", "Lista", "Listă", "Список"),
    "tab of care": ("Care", "Assistenza", "Asistență", "Помощь"),
    "tab of a recall": ("Recall", "Ritiro", "Retragere", "Отзыв"),
    "tab about it": ("About this list", "Su questa lista", "Despre listă", "О списке"),
    "title of a list": (
        "Campaign list of branch {branch}",
        "Lista della campagna per la filiale {branch}",
        "Lista campaniei pentru sucursala {branch}",
        "Список кампании для отделения {branch}",
    ),
    "title of care": (
        "Care list of branch {branch}",
        "Lista di assistenza della filiale {branch}",
        "Lista de asistență a sucursalei {branch}",
        "Список помощи для отделения {branch}",
    ),
    "title of a recall": (
        "Recall for branch {branch}",
        "Ritiro per la filiale {branch}",
        "Retragere pentru sucursala {branch}",
        "Отзыв для отделения {branch}",
    ),
    "page": (
        "Page &P of &N",
        "Pagina &P di &N",
        "Pagina &P din &N",
        "Страница &P из &N",
    ),
    "yes": ("yes", "sì", "da", "да"),
    "no": ("no", "no", "nu", "нет"),
    "none": ("none", "nessuno", "niciunul", "нет"),
    "this list": ("This list", "Questa lista", "Această listă", "Этот список"),
    "this recall": ("This recall", "Questo ritiro", "Această retragere", "Этот отзыв"),
    "bank": ("Bank", "Banca", "Banca", "Банк"),
    "campaign": ("Campaign", "Campagna", "Campania", "Кампания"),
    "data as of": ("Data as of", "Dati al", "Date la", "Данные на"),
    "valid": ("Valid", "Validità", "Valabilitate", "Действует"),
    "from to": (
        "{first} to {last}, see each row",
        "dal {first} al {last}, si veda ogni riga",
        "de la {first} la {last}, vezi fiecare rând",
        "с {first} по {last}, см. каждую строку",
    ),
    "offers": ("Offers", "Offerte", "Oferte", "Предложения"),
    "clients": ("Clients", "Clienti", "Clienți", "Клиенты"),
    "offers to withdraw": (
        "Offers to withdraw",
        "Offerte da ritirare",
        "Oferte de retras",
        "Отозвать предложений",
    ),
    "objections until": (
        "Objections until",
        "Opposizioni fino al",
        "Opoziții până la",
        "Возражения до",
    ),
    "by product": (
        "Offers by product",
        "Offerte per prodotto",
        "Oferte pe produs",
        "Предложения по продуктам",
    ),
    "by channel": (
        "Offers by channel",
        "Offerte per canale",
        "Oferte pe canal",
        "Предложения по каналам",
    ),
    "by lever": (
        "Offers by what goes with them",
        "Offerte per ciò che le accompagna",
        "Oferte după ce le însoțește",
        "Предложения по тому, что к ним прилагается",
    ),
    "by advisor": (
        "Offers by advisor",
        "Offerte per consulente",
        "Oferte pe consilier",
        "Предложения по консультантам",
    ),
    "how to read it": ("How to read it", "Come leggerla", "Cum se citește", "Как читать"),
    "what to do": ("What to do", "Che cosa fare", "Ce este de făcut", "Что делать"),
}

HOW_TO_READ: Lines = (
    (
        ("Order", "Ordine", "Ordinea", "Порядок"),
        (
            "The conversation that is worth most comes first. Begin at the top.",
            "Viene prima il colloquio che vale di più. Cominciare dall'alto.",
            "Convorbirea cea mai valoroasă este prima. Începeți de sus.",
            "Самый ценный разговор стоит первым. Начинайте сверху.",
        ),
    ),
    (
        HEADINGS["reason_1"].titles,
        (
            "What the client's own behaviour says. A beginning, not a script.",
            "Ciò che dice il comportamento del cliente. Un inizio, non un copione.",
            "Ce arată comportamentul clientului. Un început, nu un text de citit.",
            "О чём говорит поведение самого клиента. Это начало, а не готовая речь.",
        ),
    ),
    (
        HEADINGS["channel"].titles,
        (
            "Use this channel only: the client allows it for such offers.",
            "Usare solo questo canale: il cliente lo consente per queste offerte.",
            "Folosiți numai acest canal: clientul îl permite pentru astfel de oferte.",
            "Только этот канал: клиент допускает его для таких предложений.",
        ),
    ),
    (
        HEADINGS["lever_code"].titles,
        (
            "What you may grant or invite to, up to the limit beside it. Nothing else.",
            "Ciò che si può concedere o a cui invitare, fino al limite accanto. Nient'altro.",
            "Ce puteți acorda sau la ce puteți invita, până la limita alăturată. Nimic altceva.",
            "Что можно дать или куда пригласить, до предела рядом. Ничего сверх этого.",
        ),
    ),
    (
        HEADINGS["contacts_left_30d"].titles,
        (
            "Contacts the client may still have in 30 days, this one included.",
            "Contatti che il cliente può ancora avere in 30 giorni, questo compreso.",
            "Contacte pe care clientul le mai poate avea în 30 de zile, inclusiv acesta.",
            "Сколько ещё обращений допустимо за 30 дней, включая это.",
        ),
    ),
    (
        HEADINGS["valid_from"].titles,
        (
            "Do not call earlier: some offers wait for a day, such as the end of a term.",
            "Non chiamare prima: certe offerte attendono un giorno, come una scadenza.",
            "Nu sunați mai devreme: unele oferte așteaptă o zi, de exemplu o scadență.",
            "Не звоните раньше: некоторые предложения ждут дня, например конца срока.",
        ),
    ),
    (
        HEADINGS["bundle_id"].titles,
        (
            "Each of its products can be had alone: name both prices, press for neither.",
            "Ogni suo prodotto si può avere da solo: dire i due prezzi, senza insistere.",
            "Fiecare produs al lui se poate lua singur: spuneți ambele prețuri, nu insistați.",
            "Каждый его продукт доступен отдельно: назовите обе цены и не настаивайте.",
        ),
    ),
    (
        HEADINGS["valid_to"].titles,
        (
            "After this day the offer is void: do not call any more.",
            "Dopo questo giorno l'offerta è nulla: non chiamare più.",
            "După această zi oferta nu mai este valabilă: nu mai sunați.",
            "После этого дня предложение недействительно: больше не звоните.",
        ),
    ),
    (
        (
            "If the client says no",
            "Se il cliente dice no",
            "Dacă clientul refuză",
            "Если клиент отказался",
        ),
        (
            "Respect and report it: the client is then left in peace.",
            "Rispettarlo e segnalarlo: il cliente sarà lasciato in pace.",
            "Respectați și raportați: clientul va fi lăsat în pace.",
            "Примите отказ и сообщите о нём: клиента больше не побеспокоят.",
        ),
    ),
    (
        ("Not on the list", "Non in lista", "Nu este pe listă", "Нет в списке"),
        (
            "Some clients are left out on purpose. Don't add any by hand.",
            "Alcuni clienti sono esclusi di proposito. Non aggiungerne a mano.",
            "Unii clienți lipsesc intenționat. Nu adăugați pe nimeni manual.",
            "Некоторых клиентов здесь нет намеренно. Не добавляйте никого вручную.",
        ),
    ),
    (
        ("Columns with +", "Colonne con +", "Coloane cu +", "Столбцы с +"),
        (
            "Click + above the last columns for consent, run and log entry.",
            "Premere + sopra le ultime colonne per consenso, esecuzione e voce di registro.",
            "Apăsați + deasupra ultimelor coloane pentru acord, rulare și intrarea din jurnal.",
            "Нажмите + над последними столбцами: там согласие, запуск и запись журнала.",
        ),
    ),
)
HOW_TO_HELP: Lines = (
    (
        ("What this is", "Che cos'è", "Ce este aceasta", "Что это"),
        (
            "These clients get help instead of an offer. Sell them nothing.",
            "Questi clienti ricevono aiuto invece di un'offerta. Non vendere loro nulla.",
            "Acești clienți primesc ajutor în loc de ofertă. Nu le vindeți nimic.",
            "Эти клиенты получают помощь, а не предложение. Ничего им не продавайте.",
        ),
    ),
    (
        HEADINGS["care_treatment"].titles,
        (
            "What to talk about, and what to do. Listen first.",
            "Di che cosa parlare e che cosa fare. Prima ascoltare.",
            "Despre ce să vorbiți și ce să faceți. Mai întâi ascultați.",
            "О чём говорить и что сделать. Сначала выслушайте.",
        ),
    ),
    (
        HEADINGS["may_contact"].titles,
        (
            "Where it says no, wait for the client, or turn to whom it names.",
            "Dove dice no, attendere il cliente o rivolgersi a chi è indicato.",
            "Unde scrie nu, așteptați clientul sau adresați-vă celui indicat.",
            "Где стоит «нет», ждите клиента или обратитесь к тому, кто указан.",
        ),
    ),
    (
        HEADINGS["valid_until"].titles,
        (
            "After this day ask for the next list before you act.",
            "Dopo questo giorno chiedere la lista successiva prima di agire.",
            "După această zi cereți lista următoare înainte de a acționa.",
            "После этого дня сначала запросите следующий список.",
        ),
    ),
    (
        ("Confidential", "Riservato", "Confidențial", "Конфиденциально"),
        (
            "Why a client is here is known to those only who must help.",
            "Perché un cliente è qui lo sa solo chi deve aiutarlo.",
            "De ce este aici un client știu doar cei care trebuie să ajute.",
            "Почему клиент здесь, знают только те, кто должен помочь.",
        ),
    ),
)
HOW_TO_RECALL: Lines = (
    (
        ("These clients", "Questi clienti", "Acești clienți", "Эти клиенты"),
        (
            "have objected: no offer may be put to them any more, in no way.",
            "si sono opposti: non si può più proporre loro alcuna offerta, in nessun modo.",
            "s-au opus: nu li se mai poate face nicio ofertă, în niciun fel.",
            "возразили: им больше нельзя ничего предлагать, никаким способом.",
        ),
    ),
    (
        ("Now", "Adesso", "Acum", "Сейчас"),
        (
            "Strike these rows from the list, and from whatever was planned by it.",
            "Cancellare queste righe dalla lista e da quanto ne era stato pianificato.",
            "Tăiați aceste rânduri din listă și din tot ce s-a planificat după ea.",
            "Вычеркните эти строки из списка и из всего, что по нему намечено.",
        ),
    ),
    (
        ("If you have called", "Se si è chiamato", "Dacă ați sunat", "Если вы уже звонили"),
        (
            "since the day of the objection, report it as a disposition.",
            "dopo il giorno dell'opposizione, segnalarlo come esito.",
            "după ziua opoziției, raportați aceasta ca rezultat.",
            "после дня возражения, сообщите об этом как о результате.",
        ),
    ),
)


def said(name: str, language: Language, **values: object) -> str:
    """A text of ``WORDS``; ``{value}`` is filled in."""
    return WORDS[name][LANGUAGES.index(language)].format(**values)


def lines_of(name: str, lines: Lines, language: Language) -> Block:
    """Lines of help below a headline of ``WORDS``."""
    place = LANGUAGES.index(language)
    return said(name, language), [(label[place], text[place]) for label, text in lines]
