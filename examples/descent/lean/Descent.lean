import Descent.Export
import Descent.Step
