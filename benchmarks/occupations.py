"""Occupations to be found, and questions of people who look for one, judged by hand.

The questions and the judgements are this project's own; they were written before anything was
measured. An occupation is named by its O*NET-SOC code.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass

from benchmarks.workloads import Retrieval, data_directory


@dataclass(frozen=True)
class Occupation:
    """One row of the O*NET database."""

    code: str
    title: str
    description: str

    @property
    def text(self) -> str:
        return f"{self.title}. {self.description}"


def occupations() -> list[Occupation]:
    """All occupations, about 1,100."""
    path = data_directory() / "occupations" / "occupation_data.tsv"
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, delimiter="\t"))[1:]
    return [Occupation(code.removesuffix(".00"), title, text) for code, title, text in rows]


def job_retrieval(scale: float = 1.0) -> Retrieval:
    """The questions over titles with descriptions; `scale` below 1 takes the first questions."""
    all_ = occupations()
    number = {occupation.code: i for i, occupation in enumerate(all_)}
    chosen = list(QUESTIONS.items())[: max(4, round(len(QUESTIONS) * scale))]
    return Retrieval(
        [occupation.text for occupation in all_],
        [question for question, _ in chosen],
        [{number[code]: 1.0 for code in codes.split()} for _, codes in chosen],
    )


QUESTIONS = {
    "I want to work with data analysis and Python programming": "15-2041 15-1199.08 15-1199.07 "
    "15-1131 15-1132 15-1111 15-2031 19-1029.01 15-2041.01 15-2041.02 13-2099.01",
    "I like building websites and making pages look good": "15-1134 15-1199.03 27-1024 27-1014",
    "a job where I keep hackers out of computer networks": "15-1122 15-1142 15-1143",
    "help people who have trouble with their computers": "15-1151 15-1152",
    "find mistakes in programs before they are released": "15-1199.01 15-1131",
    "I want to design video games": "15-1199.11 27-1014 15-1132",
    "take care of sick animals": "29-1131 29-2056 31-9096 39-2021",
    "train dogs and other animals": "39-2011 39-2021",
    "I would love to teach small children": "25-2011 25-2012 39-9011 39-9011.01 25-2021 25-9041",
    "teaching mathematics at a university": "25-1022 15-2021",
    "help children with learning disabilities": "25-2051 25-2052 25-2053 25-2054 25-2059.01",
    "look after elderly people in their homes": "31-1011 39-9021 31-1014",
    "drive an ambulance and save lives": "29-2041 53-3011 43-5031",
    "putting out fires": "33-2011 33-2011.01 33-2011.02 33-1021 33-1021.01 33-1021.02",
    "solve crimes and question suspects": "33-3021 33-3021.01 33-3021.03 33-9021",
    "analyse evidence from crime scenes in a laboratory": "19-4092 33-3021.02",
    "defend people in court": "23-1011",
    "write down everything that is said at a trial": "23-2091",
    "fly planes": "53-2011 53-2012",
    "repair airplane engines": "49-3011 17-3021",
    "fix cars": "49-3023 49-3023.01 49-3023.02 49-3021 49-3022",
    "driving a truck across the country": "53-3032 53-3033",
    "steer ships": "53-5021 53-5021.01 53-5021.02 53-5021.03 53-5022",
    "cook meals in a restaurant kitchen": "35-2014 35-1011 35-2021 35-2015",
    "make coffee for customers": "35-3022.01 35-3022",
    "bake bread and cakes": "51-3011",
    "mix drinks at a bar": "35-3011 35-9011",
    "cut and colour hair": "39-5012 39-5011 39-5093",
    "do people's nails": "39-5092",
    "sell houses": "41-9022 41-9021",
    "tell people how to invest their savings": "13-2052 41-3031.02 41-3031 13-2051",
    "check that a company's books are right": "13-2011 13-2011.01 13-2011.02 43-3031",
    "estimate the probability and cost of accidents for an insurer": "15-2011 13-2053",
    "decide who gets a loan from the bank": "13-2072 13-2041 43-4131 43-4041 43-4041.01",
    "fill in tax returns for other people": "13-2082",
    "hire new employees": "13-1071 11-3121 43-4161",
    "plan weddings and conferences": "13-1121",
    "write articles for a newspaper": "27-3022 27-3043 27-3041",
    "translate books from French into English": "27-3091",
    "compose music": "27-2041.04 27-2041 27-2041.01",
    "act on a stage": "27-2011",
    "take pictures for magazines": "27-4021",
    "make clothes that people want to wear": "27-1022 51-6052 51-6092",
    "design buildings": "17-1011 17-3011 17-3011.01",
    "plan how a city should grow": "19-3051 19-4061.01 19-3099.01",
    "build bridges and roads": "17-2051 17-2051.01 17-3022 47-4051 47-2071",
    "install solar panels on roofs": "47-2231 47-1011.03 47-4099.02",
    "put wires and lights into houses": "47-2111 47-3013",
    "repair leaking pipes": "47-2152 47-2152.02 47-3015",
    "work with wood and make furniture": "51-7011 47-2031.01 47-2031 51-7042 51-7021",
    "grow vegetables": "11-9013 11-9013.02 45-2092.02 45-2092 11-9013.01 45-2092.01",
    "protect forests": "19-1032 19-4093 33-2022 19-1031 45-4011 25-1043",
    "study stars and planets": "19-2011 19-2012 25-1051 19-2021",
    "forecast the weather": "19-2021 25-1051",
    "dig up the remains of ancient cultures": "19-3091.02 19-3091 25-1061",
    "find out how diseases spread": "19-1041 29-1069.09 25-1071",
    "invent new medicines": "19-1042 19-1021 17-2199.01 29-1051",
    "straighten crooked teeth": "29-1023 29-1021",
    "help patients walk again after an accident": "29-1123 31-2021 31-2022 29-1069.08 29-1122",
    "listen to people's problems and help them with depression": "19-3031.02 19-3031.03 19-3031 "
    "21-1014 29-1066 21-1023 29-1141.02",
    "assist women in giving birth": "29-1161 29-9099.01 29-1064",
    "clean offices": "37-2011 37-2012 37-1011",
    "catch thieves in shops": "33-9099.02 11-9199.08 33-9032 33-9021",
    "show tourists around": "39-7011 39-7012",
    "lend books to readers": "25-4021 43-4121 25-4031",
    "keep a swimming pool safe": "33-9092",
}
