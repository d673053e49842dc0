"""Names of people as they are common in the region's languages and two more, in Latin letters.

Ordinary given names and surnames, put together by lot: whom they make is nobody. Names of public
figures are left out. Each name is one word, so that a template can take a name apart.

The lists are part of the derivation of values: never insert, append, remove or sort.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class People:
    """Given names, and surnames that go with every one of them."""

    given: tuple[str, ...]
    surnames: tuple[str, ...]


def _people(given: str, surnames: str) -> People:
    return People(given=tuple(given.split()), surnames=tuple(surnames.split()))


PEOPLE: Mapping[str, tuple[People, ...]] = MappingProxyType(
    {
        "sq": (
            _people(
                """
                Afërdita Albana Anila Arta Besa Blerina Brunilda Drita Elira Elona Ermira Fatmira
                Flutura Gentiana Hana Jehona Kaltrina Liridona Majlinda Mimoza Rina Shpresa Teuta
                Valbona Agim Agron Alban Arben Ardian Artan Bekim Besnik Blerim Burim Dritan Driton
                Endrit Fatos Flamur Genc Gezim Kushtrim Lulzim Mentor Petrit Shkëlzen Skënder Valon
                """,
                """
                Ademi Agolli Aliu Bajrami Balaj Bardhi Basha Bytyçi Çela Dervishi Dushku Elezi
                Ferati Gashi Gjoka Gjoni Halili Hasani Hoxha Hysa Ismaili Jashari Kelmendi Kola
                Krasniqi Kryeziu Leka Limani Maloku Marku Morina Mustafa Murati Osmani Prifti Qosja
                Sadiku Selimi Shala Shehu Tahiri Ukaj Veliu Xhafa Zeneli Zeqiri
                """,
            ),
        ),
        "sr": (
            _people(
                """
                Aleksandra Ana Biljana Bojana Danica Dragana Gordana Ivana Jasmina Jelena Jovana
                Katarina Ljiljana Maja Marija Milica Mirjana Nataša Nevena Sanja Snežana Tamara
                Tijana Vesna Aleksa Bojan Branko Dejan Dragan Dušan Filip Goran Igor Marko Milan
                Miloš Miroslav Nebojša Nemanja Nikola Petar Predrag Saša Slobodan Srđan Stefan
                Vladimir Zoran
                """,
                """
                Antić Babić Bogdanović Božić Cvetković Đorđević Filipović Gajić Ilić Ivanović
                Janković Jovanović Jović Kostić Kovačević Krstić Lazić Lukić Maksimović Marić
                Marinković Marković Matić Mihajlović Milenković Milić Mitrović Nikolić Obradović
                Pavlović Perić Petrović Popović Radić Ristić Savić Simić Stanković Stojanović Tasić
                Todorović Tomić Vasić Vuković Živković
                """,
            ),
        ),
        "bs": (
            _people(
                """
                Adisa Ajla Alma Amela Amina Amra Azra Belma Dalila Dženana Edina Elma Emina Fatima
                Hana Indira Jasna Lamija Lejla Merima Nermina Sabina Selma Zehra Adnan Admir Almir
                Amir Armin Damir Dino Edin Elvir Emir Enes Ermin Faruk Haris Jasmin Kenan Mirza
                Nedim Nermin Samir Sead Senad Tarik Zlatan
                """,
                """
                Alić Avdić Bašić Bećirović Begić Čaušević Ćosić Delić Džafić Fazlić Hadžić
                Halilović Hasanović Hodžić Huseinović Ibrahimović Imamović Jusić Kadić Karić
                Kovačević Kurtović Mahmutović Marić Mehić Memić Mešić Mujić Muratović Mustafić
                Omerović Osmanović Pašić Ramić Redžić Salihović Selimović Smajić Softić Spahić
                Suljić Tomić Turković Zukić
                """,
            ),
        ),
        "cnr": (
            _people(
                """
                Aleksandra Ana Anđela Bojana Bosiljka Dijana Dragica Draženka Ivana Jasna Jelena
                Jovana Ksenija Maja Marija Marina Milena Nada Nataša Radmila Sandra Slavica Tanja
                Vesna Balša Blažo Bojan Božidar Danilo Dejan Dragan Dragoljub Goran Igor Ivan Luka
                Marko Miloš Miodrag Mladen Nikola Petar Radovan Savo Slavko Vasilije Veselin Vuk
                """,
                """
                Aleksić Bošković Božović Bulatović Bulajić Čađenović Dragović Drašković Đurović
                Filipović Ivanović Janković Jovanović Jovović Kaluđerović Knežević Kovačević Lakić
                Lalović Lekić Marković Martinović Mijović Milić Mirković Nikčević Nikolić Pavićević
                Pavlović Pejović Perović Petrović Popović Radović Radulović Raičević Rakočević
                Stanišić Šćepanović Tomović Vujović Vukčević Vuković Zeković
                """,
            ),
        ),
        "mk": (
            _people(
                """
                Aleksandra Ana Angela Biljana Blagica Daniela Dragica Elena Emilija Frosina Gordana
                Ivana Jasmina Katerina Lidija Ljubica Maja Marija Natasha Simona Snezhana Suzana
                Tamara Vesna
                """,
                """
                Andonova Angelova Arsova Atanasova Bogdanova Bojkovska Dimitrova Dimovska Filipova
                Georgieva Ilievska Ivanova Ivanovska Jakimova Jovanovska Kostova Krstevska Lazarova
                Manevska Markovska Mihajlova Mitreva Naumovska Nikolova Nikolovska Pavlova Petkovska
                Petrova Petrovska Popova Ristova Ristovska Simonovska Spasova Stefanovska Stojanova
                Stojanovska Tasevska Todorova Trajanova Trajkova Trpkovska Velkova Zdravkovska
                """,
            ),
            _people(
                """
                Aleksandar Antonio Blagoja Bojan Branko Damjan Daniel Darko Dejan Dimitar Dragan
                Filip Goran Igor Ilija Ivan Jovan Kristijan Ljupcho Marjan Martin Mihail Petar
                Vladimir
                """,
                """
                Andonov Angelov Arsov Atanasov Bogdanov Bojkovski Dimitrov Dimovski Filipov
                Georgiev Iliev Ilievski Ivanov Jakimov Jovanovski Kostov Krstevski Lazarov
                Manevski Markovski Mihajlov Mitrev Naumovski Nikolov Nikolovski Pavlov Petkovski
                Petrov Petrovski Popov Ristov Ristovski Simonovski Spasov Stefanovski Stojanov
                Stojanovski Tasevski Todorov Trajanov Trajkov Trpkovski Velkov Zdravkovski
                """,
            ),
        ),
        "sl": (
            _people(
                """
                Alenka Ana Andreja Barbara Darja Eva Irena Janja Katja Lara Maja Marjeta Mateja
                Metka Mojca Nataša Neža Nina Petra Polona Simona Špela Tanja Urška Aleš Andrej
                Anže Bojan Boštjan Gregor Jaka Janez Jernej Jure Klemen Marko Matej Matjaž Miha
                Mitja Peter Rok Sašo Simon Tadej Tomaž Uroš Žiga
                """,
                """
                Bezjak Bizjak Breznik Božič Černe Debeljak Dolenc Fras Gorenc Hočevar Horvat Hribar
                Jenko Jerman Kalan Kastelic Kavčič Knez Kobal Kolar Koren Korošec Košir Kos Kovač
                Kovačič Kralj Kranjc Krajnc Lah Lesjak Logar Majcen Medved Mlakar Novak Petek
                Pirc Potočnik Rozman Rupnik Sever Vidmar Vovk Zajc Zupan Zupančič
                """,
            ),
        ),
        "fr": (
            _people(
                """
                Alice Amandine Anne Aurélie Camille Caroline Céline Chloé Claire Élodie Émilie
                Hélène Inès Julie Laura Léa Lucie Manon Mathilde Nathalie Pauline Sandrine Sophie
                Valérie Alexandre Antoine Arnaud Bastien Benoît Cédric Damien Étienne Fabien
                Florian Guillaume Hugo Julien Laurent Mathieu Maxime Nicolas Olivier Pascal Quentin
                Rémi Romain Sébastien Vincent
                """,
                """
                Aubert Barbier Bertrand Besson Bouvier Boyer Brunet Carpentier Chevalier Collet
                Cordier Delaunay Denis Dubois Dufour Dumas Dumont Dupuis Durand Fabre Faure
                Fontaine Fournier Gaillard Garnier Gauthier Girard Guérin Lacroix Lambert Leclerc
                Lefèvre Lemaire Leroux Marchand Mercier Meunier Moreau Morel Perrin Picard Poirier
                Renard Roussel Roux Vidal
                """,
            ),
        ),
        "en": (
            _people(
                """
                Alison Amy Anna Catherine Charlotte Claire Eleanor Emily Fiona Grace Hannah Helen
                Jessica Joanne Karen Laura Lucy Megan Nicola Olivia Rachel Rebecca Sarah Victoria
                Aaron Alan Andrew Benjamin Callum Christopher Colin Daniel Edward George Gareth
                Ian Jack Jonathan Keith Liam Luke Martin Matthew Nathan Oliver Peter Simon Stephen
                """,
                """
                Allen Atkinson Bailey Baker Barnes Bennett Butler Carter Chapman Cole Cooper Cox
                Davies Dawson Ellis Evans Fisher Foster Gibson Graham Griffiths Hall Harris Hughes
                Hunt Jenkins Kelly Knight Lawson Marshall Mason Mills Mitchell Morgan Murray Owen
                Palmer Parker Pearson Phillips Price Reynolds Roberts Shaw Stone Thompson Turner
                Webb
                """,
            ),
        ),
    }
)

REGION = ("sq", "sr", "bs", "cnr", "mk", "sl")
"""The languages of the region, in the order in which a mix of them counts."""
